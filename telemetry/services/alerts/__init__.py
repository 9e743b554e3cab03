"""Telling people of incidents: rows are written with each transition, routed, gathered, and sent by workers."""
