"""A customer of the workspace."""

import secrets

from django.db import models
from django.utils import timezone

__all__ = ["SLUG_LENGTH", "SLUG_PATTERN", "Tenant", "new_salt"]

# The core's Identifier in lower case, so that two tenants never differ by case alone.
SLUG_PATTERN = r"^[a-z0-9][a-z0-9_.:-]*$"
SLUG_LENGTH = 128


def new_salt() -> str:
    """Sixteen random bytes in hex."""
    return secrets.token_hex(16)


class Tenant(models.Model):
    """A customer. ``slug`` is its name in documents and addresses.

    ``sampling_salt`` never changes (the database refuses it): a new one would draw other subjects at the same rate.
    ``pseudonym_salt`` and ``pseudonym_epoch`` go into the tenant's pseudonym key; a new epoch is a new key.
    """

    slug = models.CharField(max_length=SLUG_LENGTH, unique=True)
    name = models.CharField(max_length=200)
    sampling_salt = models.CharField(max_length=64, default=new_salt, editable=False)
    pseudonym_salt = models.CharField(max_length=64, default=new_salt, editable=False)
    pseudonym_epoch = models.PositiveIntegerField(default=1, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=models.Q(slug__regex=SLUG_PATTERN), name="tenants_tenant_slug_form"),
            models.CheckConstraint(condition=models.Q(pseudonym_epoch__gte=1), name="tenants_tenant_epoch_from_one"),
        ]

    def __str__(self) -> str:
        return self.name
