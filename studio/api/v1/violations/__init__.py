"""Violations: lists, single ones, decisions."""
