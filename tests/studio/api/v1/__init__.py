"""The addresses of version 1."""
