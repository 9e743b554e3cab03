"""Access exports: what is stored about one person, for them to have."""
