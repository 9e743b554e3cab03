"""Tests of the services that change tenants."""
