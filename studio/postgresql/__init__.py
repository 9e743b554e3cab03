"""Django's PostgreSQL, with a cheaper look at connections that stay open between requests."""
