"""Keeping what a draft said before each change, for as long as it is a draft."""

from typing import Final

from django.utils import timezone

from tenants.actors import Actor
from tenants.models import DraftStep, TenantAppConfig

__all__ = ["forget_steps", "keep_step"]

# More changes back than that, nobody knows any more what they undo; publishing keeps every version besides.
KEPT: Final = 50


def keep_step(actor: Actor, draft: TenantAppConfig, before: str, deed: str) -> None:
    """The draft can be taken back to the document ``before``. For callers that have locked its installation."""
    steps = DraftStep.objects.filter(config=draft).order_by("-number")
    last = steps.values_list("number", flat=True).first() or 0
    DraftStep.objects.create(
        installation_id=draft.installation_id,
        tenant_id=draft.tenant_id,
        config=draft,
        number=last + 1,
        document=before,
        deed=deed[:200],
        done_by_label=actor.label,
        done_at=timezone.now(),
    )
    DraftStep.objects.filter(config=draft, number__lte=last + 1 - KEPT).delete()


def forget_steps(config: TenantAppConfig) -> None:
    """The version is final: there is nothing to undo."""
    DraftStep.objects.filter(config=config).delete()
