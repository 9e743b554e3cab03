"""Noticing that a config hides more than before: then somebody counts what is stored openly."""

from datetime import datetime

from telemetry.core.compiled import compile_config
from telemetry.core.config import EffectiveConfig
from telemetry.core.errors import Conflict
from telemetry.core.rescrubbing import hides_more
from telemetry.models import RescrubMark
from telemetry.selectors.configs import config_freshness
from telemetry.services.configs import effective_config
from telemetry.services.rescrubbing.runs import ask_for_count
from telemetry.stores.chosen import EVENT_STORE
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = ["notice_stricter_configs"]


def notice_stricter_configs(*, now: datetime) -> int:
    """Each installation whose config has come to hide more of what is stored there has a run that counts it; how many.

    Whatever made it stricter: a version of its spec, an override, a floor, an exception that ended. Compared is what
    holds now with what held when this was last called, so running it twice, or at the same time, asks nothing more.
    An installation with an open run is looked at again when that is over. One query for each installation whose config
    has not changed.
    """
    with tenant_context(ALL):
        installations = list(Installation.objects.select_related("tenant", "app").order_by("pk"))
        marks = {mark.installation_id: mark for mark in RescrubMark.objects.all()}
    return sum(_notice(each, marks.get(each.pk), now) for each in installations)


def _notice(installation: Installation, mark: RescrubMark | None, now: datetime) -> bool:
    with tenant_context((installation.tenant_id,)):
        revision, _ = config_freshness(installation.pk)
        if mark is not None and mark.config_revision == revision:
            return False
        since = installation.created_at if mark is None else mark.looked_at
        is_stricter = _is_stricter(installation, since)
        if is_stricter:
            try:
                ask_for_count(actor=SYSTEM, installation=installation, reason="config")
            except Conflict:
                return False
        RescrubMark.objects.update_or_create(
            installation=installation,
            defaults={"tenant_id": installation.tenant_id, "config_revision": revision, "looked_at": now},
        )
    return is_stricter


def _is_stricter(installation: Installation, since: datetime) -> bool:
    """Whether something that is stored may show what is hidden now, and was not at that instant."""
    after = _effective(installation)
    names = set(EVENT_STORE.names(installation.pk)) if after is not None else set()
    if after is None or not names:
        return False
    earlier = _effective(installation, since)
    before, now = None if earlier is None else compile_config(earlier), compile_config(after)
    events = [event for event in after.events if event.name in names]
    return any(hides_more(before, now, event.name, event.version) for event in events)


def _effective(installation: Installation, at: datetime | None = None) -> EffectiveConfig | None:
    try:
        return effective_config(installation, at=at)
    except Conflict:
        return None
