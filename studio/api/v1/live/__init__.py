"""What arrives at an installation, as it arrives."""
