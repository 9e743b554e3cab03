"""Credentials of installations and of people."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from tenants.models.installation import Installation
from tenants.models.tenant import Tenant
from tenants.roles import Scope

__all__ = ["ApiKey", "KeyKind"]


class KeyKind(models.TextChoices):
    """Whom a key stands for; the value is the word inside the key's text."""

    APP = "app", "App key"
    USER = "usr", "Personal key"


class ApiKey(models.Model):
    """A key, without the key: ``lookup`` finds the row, ``digest`` (HMAC-SHA-256, hex) proves the text.

    An app key belongs to an installation and its tenant; a personal key to a user, and it acts in no tenant of its
    own. ``last_used_at`` is coarse: it moves at most once an hour.
    """

    kind = models.CharField(max_length=3, choices=KeyKind.choices, editable=False)
    # No index of its own: keys are listed by installation, through the tenant's installations.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    # Index: "the keys of this installation".
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, null=True, blank=True, related_name="api_keys", editable=False
    )
    # Index: "the keys of this person".
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="api_keys",
        editable=False,
    )
    name = models.CharField(max_length=200)
    lookup = models.CharField(max_length=8, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=Scope.choices), editable=False)
    created_by_label = models.CharField("created by", max_length=200, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    kind=KeyKind.APP, tenant__isnull=False, installation__isnull=False, user__isnull=True
                )
                | models.Q(kind=KeyKind.USER, tenant__isnull=True, installation__isnull=True, user__isnull=False),
                name="tenants_apikey_one_holder",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    kind=KeyKind.APP,
                    scopes__contained_by=[scope.value for scope in Scope if scope != Scope.MANAGE],
                )
                | models.Q(kind=KeyKind.USER, scopes__contained_by=[Scope.MANAGE.value]),
                name="tenants_apikey_scopes_of_kind",
            ),
            # Never empty: an unset lookup in the transaction's context must not find a row.
            models.CheckConstraint(
                condition=models.Q(lookup__regex=r"^[0-9A-Za-z]{8}$"), name="tenants_apikey_lookup_form"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.lookup})"
