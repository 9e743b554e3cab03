"""Tests of tenants: isolation, roles, keys, overrides."""
