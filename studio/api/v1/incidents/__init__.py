"""Incidents over HTTP, and what a rule would have done."""
