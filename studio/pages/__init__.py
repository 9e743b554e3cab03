"""Pages of the studio that are not one record's form; each parses, calls one service, renders."""
