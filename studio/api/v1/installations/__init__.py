"""Apps at tenants: their overrides and what holds for them."""
