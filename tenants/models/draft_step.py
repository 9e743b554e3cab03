"""What a draft said before each change, so that changes can be undone."""

from django.db import models

from tenants.models.installation import Installation
from tenants.models.tenant import Tenant
from tenants.models.tenant_app_config import TenantAppConfig

__all__ = ["DraftStep"]


class DraftStep(models.Model):
    """One change of a draft: what it said before (``document``, canonical JSON), and what was done, in words.

    ``number`` counts up within the draft. A change that is undone takes its step with it; when the draft is no draft
    any more, its steps are gone.
    """

    # No index of its own: steps are found by their draft.
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    # No index of its own: it repeats the installation's tenant for row-level security.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    # No index of its own: the unique constraint below begins with the draft.
    config = models.ForeignKey(TenantAppConfig, on_delete=models.CASCADE, related_name="+", db_index=False)
    number = models.PositiveIntegerField()
    document = models.TextField(help_text="Canonical JSON.")
    deed = models.CharField(max_length=200)
    done_by_label = models.CharField("done by", max_length=200)
    done_at = models.DateTimeField()

    class Meta:
        verbose_name = "draft step"
        ordering = ["config", "-number"]
        constraints = [models.UniqueConstraint(fields=["config", "number"], name="tenants_draftstep_number_once")]

    def __str__(self) -> str:
        return f"Step {self.number} of {self.config}"
