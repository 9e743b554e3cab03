"""What lets the studio have a person erased at a provider."""

import uuid

from django.db import models
from django.utils import timezone

from telemetry.models.provider_record import ProviderRecord
from tenants.models import Tenant

__all__ = ["ErasureAccess"]


class ErasureAccess(models.Model):
    """Settings and credential for erasing at one provider, where those for sending events are not enough.

    ``sealed`` is as ``ProviderRecord.sealed``: no page and no answer shows it.
    """

    public_id = models.UUIDField(default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The database ties it to the tenant as well.
    provider = models.OneToOneField(ProviderRecord, on_delete=models.CASCADE, related_name="erasure_access")
    settings = models.JSONField(default=dict)
    sealed = models.TextField()
    sealed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"access of {self.provider_id}"
