"""The side bar: sections by what people do, entries by what the person may do."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse

from studio.people import actor_of
from tenants.actors import Actor

__all__ = ["SECTIONS", "Entry", "navigation", "section_of"]


class Entry(NamedTuple):
    """One line of the side bar; ``ability`` is asked in the whole workspace only if ``everywhere``, else anywhere."""

    title: str
    icon: str
    view: str
    ability: str = "view"
    everywhere: bool = False


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Govern": (
        Entry("Specs", "schema", "admin:telemetry_specrecord_changelist"),
        Entry("Events", "bolt", "admin:telemetry_eventrecord_changelist"),
        Entry("Versions", "history", "admin:telemetry_specversion_changelist"),
    ),
    "Tenants": (
        Entry("Tenants", "domain", "admin:tenants_tenant_changelist"),
        Entry("Apps", "apps", "admin:tenants_app_changelist"),
        Entry("Installations", "deployed_code", "admin:tenants_installation_changelist"),
        Entry("Configs", "tune", "admin:tenants_tenantappconfig_changelist"),
        Entry("API keys", "key", "admin:tenants_apikey_changelist"),
    ),
    "Protect": (Entry("Privacy floors", "shield", "admin:tenants_floorrecord_changelist"),),
    "Admin": (
        Entry("People", "group", "admin:auth_user_changelist", "people.manage", everywhere=True),
        Entry("Roles", "badge", "admin:tenants_membership_changelist", "people.manage"),
        Entry("Audit log", "receipt_long", "admin:tenants_auditentry_changelist", "audit.view"),
    ),
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The theme's description of the side bar, without what the person may not see; no query."""
    overview = {"title": "Overview", "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [overview]}]
    for title, entries in SECTIONS.items():
        items = list(_items(entries, actor_of(request)))
        if items:
            groups.append({"title": title, "items": items})
    return groups


def section_of(view: str) -> str:
    """The section that leads to this list; empty for a list that has no entry."""
    return next((title for title, entries in SECTIONS.items() if any(entry.view == view for entry in entries)), "")


def _items(entries: tuple[Entry, ...], actor: Actor) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if actor.can(entry.ability) or (not entry.everywhere and actor.can_somewhere(entry.ability)):
            yield {"title": entry.title, "icon": entry.icon, "link": reverse(entry.view)}
