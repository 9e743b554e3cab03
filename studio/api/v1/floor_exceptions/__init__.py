"""What is freed from a floor for a while."""
