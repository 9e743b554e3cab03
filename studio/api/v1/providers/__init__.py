"""Providers: connected, listed, and what they did not take."""
