"""Removing stored events whose time is over: planned, shown, approved where it is much, done, and proven."""
