"""The Django project and everything that a person or client talks to: pages, admin, API, commands."""
