"""What apps fetch."""
