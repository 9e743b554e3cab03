"""One module per command: each parses its arguments and calls one service."""
