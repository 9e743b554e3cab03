"""What became of everything that an installation received."""
