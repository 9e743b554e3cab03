"""The side bar: sections by what people do, entries by what the person may do; and the words for each noun."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models.options import Options
from django.http import HttpRequest
from django.urls import reverse

from studio.people import actor_of
from studio.waiting import waiting
from tenants.actors import Actor

__all__ = ["SECTIONS", "Entry", "entry_of", "navigation", "section_of"]


class Entry(NamedTuple):
    """One line of the side bar: a noun's title, its words for one and many, and who sees it.

    ``ability`` is asked in the whole workspace only if ``everywhere``, else it is enough to have it in one tenant.
    ``badge`` names what waits there for somebody, see ``studio.waiting``. ``page`` is the name of the page that it
    leads to, if not the noun's list; ``several`` the word for many, if not the title.
    """

    label: str
    title: str
    one: str
    icon: str
    ability: str = "view"
    everywhere: bool = False
    badge: str = ""
    page: str = ""
    several: str = ""

    @property
    def many(self) -> str:
        """The word for several, inside a sentence."""
        if self.several:
            return self.several
        return self.title if self.title[:2].isupper() else self.title[:1].lower() + self.title[1:]

    @property
    def address(self) -> str:
        """Where it leads."""
        return reverse(self.page) if self.page else reverse(f"admin:{self.label}_changelist")


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "Govern": (
        Entry("telemetry_specrecord", "Specs", "spec", "schema"),
        Entry("telemetry_eventrecord", "Catalog", "event", "bolt", page="catalog", several="events"),
        Entry("telemetry_reviewrecord", "Reviews", "review", "rate_review", badge="reviews"),
        Entry("telemetry_proposal", "Proposals", "proposal", "lightbulb", badge="proposals", page="proposals"),
        Entry("telemetry_specversion", "Versions", "version", "history"),
        Entry("telemetry_eventspecrecord", "EventSpecs", "EventSpec", "contract", several="EventSpecs"),
    ),
    "Tenants": (
        Entry("tenants_tenant", "Tenants", "tenant", "domain"),
        Entry("tenants_app", "Apps", "app", "apps"),
        Entry("tenants_installation", "Installations", "installation", "deployed_code"),
        Entry("tenants_tenantappconfig", "Configs", "config", "tune"),
        Entry("tenants_apikey", "API keys", "API key", "key"),
    ),
    "Watch": (
        Entry("telemetry_storedevent", "Live", "event", "stream", page="live", several="events"),
        Entry(
            "telemetry_incident",
            "Incidents",
            "incident",
            "notifications_active",
            page="incidents",
            badge="incidents",
        ),
        Entry("telemetry_alertchannel", "Alerts", "alert channel", "campaign", page="alerts", several="alert channels"),
        Entry("telemetry_violationrecord", "Violations", "violation", "report", page="violations"),
        Entry(
            "telemetry_heldevent", "Quarantine", "held event", "inventory_2", page="quarantine", several="held events"
        ),
        Entry("telemetry_eventtally", "Balance", "balance", "balance", page="balance"),
    ),
    "Protect": (
        Entry(
            "telemetry_privacyfinding",
            "Privacy inbox",
            "privacy finding",
            "policy",
            badge="findings",
            page="privacy_inbox",
            several="privacy findings",
        ),
        Entry("telemetry_storedday", "Retention", "retention", "hourglass_bottom", page="retention"),
        Entry(
            "telemetry_purgerun",
            "Purges",
            "purge",
            "auto_delete",
            badge="purges",
            page="purge_runs",
        ),
        Entry(
            "telemetry_archivefile", "Archive", "archived file", "inventory", page="archive", several="archived files"
        ),
        Entry(
            "telemetry_rescrubrun",
            "Re-scrub",
            "re-scrub run",
            "format_ink_highlighter",
            badge="rescrubs",
            page="rescrubs",
            several="re-scrub runs",
        ),
        Entry("telemetry_legalhold", "Legal holds", "legal hold", "gavel", "hold.manage", page="legal_holds"),
        Entry("telemetry_receipt", "Receipts", "receipt", "verified", page="receipts"),
        Entry("tenants_floorrecord", "Privacy floors", "privacy floor", "shield"),
        Entry("tenants_floorexceptionrecord", "Exceptions", "exception", "lock_clock"),
        Entry(
            "telemetry_erasurerequest",
            "Erasure",
            "erasure request",
            "person_remove",
            "erasure.handle",
            badge="erasures",
            page="erasures",
            several="erasure requests",
        ),
        Entry(
            "telemetry_accessexport",
            "Access requests",
            "access export",
            "folder_shared",
            "access.handle",
            page="access_exports",
            several="access exports",
        ),
    ),
    "Admin": (
        Entry("auth_user", "People", "person", "group", "people.manage", everywhere=True),
        Entry("tenants_membership", "Roles", "role", "badge", "people.manage"),
        Entry("telemetry_providerrecord", "Providers", "provider", "outbound", page="providers"),
        Entry("tenants_auditentry", "Audit log", "audit entry", "receipt_long", "audit.view"),
    ),
}

_ENTRIES = {entry.label: (section, entry) for section, entries in SECTIONS.items() for entry in entries}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The theme's description of the side bar, without what the person may not see; one query for all badges."""
    overview = {"title": "Overview", "icon": "space_dashboard", "link": reverse("admin:index")}
    groups: list[dict[str, Any]] = [{"items": [overview]}]
    for title, entries in SECTIONS.items():
        items = list(_items(entries, actor_of(request), waiting(request)))
        if items:
            groups.append({"title": title, "items": items})
    return groups


def entry_of(options: "Options[Any]") -> Entry:
    """The entry of a noun, by its model's ``_meta``."""
    return _ENTRIES[f"{options.app_label}_{options.model_name}"][1]


def section_of(options: "Options[Any]") -> str:
    """The title of the section that has the noun."""
    return _ENTRIES[f"{options.app_label}_{options.model_name}"][0]


def _items(entries: tuple[Entry, ...], actor: Actor, counts: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        if actor.can(entry.ability) or (not entry.everywhere and actor.can_somewhere(entry.ability)):
            item = {"title": entry.title, "icon": entry.icon, "link": entry.address}
            count = counts.get(entry.badge, 0)
            yield {**item, "badge": count, "badge_variant": "primary"} if count else item
