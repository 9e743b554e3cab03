"""The roles that a person can have, and the scopes that a key can have."""

from django.db import models

__all__ = ["Role", "Scope"]


class Role(models.TextChoices):
    """A person's role, in one tenant or in the whole workspace; ``tenants.permissions`` says what each may do."""

    VIEWER = "viewer", "Viewer"
    ANALYST = "analyst", "Analyst"
    PRIVACY_OFFICER = "privacy_officer", "Privacy officer"
    PUBLISHER = "publisher", "Publisher"
    ADMIN = "admin", "Admin"


class Scope(models.TextChoices):
    """What a key is for.

    App keys: ``ingest`` sends events and reads nothing back, ``config:read`` fetches the config, ``config:secret``
    fetches the pseudonym key too, ``config:preview`` fetches overrides that are up for review. Personal keys:
    ``manage`` acts with its owner's roles.
    """

    INGEST = "ingest", "Send events"
    CONFIG_READ = "config:read", "Read the config"
    CONFIG_SECRET = "config:secret", "Read the pseudonym key"
    CONFIG_PREVIEW = "config:preview", "Read previews of the config"
    MANAGE = "manage", "Act as its owner"
