"""Event streams: telling apps that their config has changed. A small ASGI application in a process of its own."""
