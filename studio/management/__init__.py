"""Management of the studio."""
