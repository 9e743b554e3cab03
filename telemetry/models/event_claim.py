"""The ledger of received ids: what was counted or stored once is never counted or stored again."""

from django.db import models

from tenants.models import Installation, Tenant

__all__ = ["EventClaim", "UndatedClaim"]


class Claim(models.Model):
    """An id that an installation has sent. No foreign key is checked, as for ``StoredEvent``."""

    id = models.UUIDField(primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.id)


class EventClaim(Claim):
    """An id of version 7, filed under the ``day`` that is inside it: every retry names the same one."""

    day = models.DateField()

    class Meta:
        constraints = [
            # By id alone: a key with a client's time in it would take an event twice once the clock is put right.
            models.UniqueConstraint(fields=["installation", "id", "day"], name="telemetry_eventclaim_once"),
        ]


class UndatedClaim(Claim):
    """An id that does not tell its day, filed under the ``month`` in which it came, and the one before as well.

    Two filings overlap, so an id is known for at least a whole month, also across the month's end.
    """

    month = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["installation", "id", "month"], name="telemetry_undatedclaim_once"),
        ]
