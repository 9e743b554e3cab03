"""Privacy findings: lists, single ones, decisions."""
