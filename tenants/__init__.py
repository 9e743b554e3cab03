"""Who: tenants, their apps and installations, people and their roles, API keys, audit."""
