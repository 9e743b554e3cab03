"""Alert channels, routes and notifications: who is told of incidents."""
