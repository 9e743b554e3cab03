"""One module per noun that can be asked about."""
