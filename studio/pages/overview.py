"""The overview: what is there, what came in, what was published lately, what needs attention."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from studio.addresses import address_of, list_address, page_address
from studio.markup import counted, noun
from studio.outcome_chart import DAY, outcome_chart
from studio.people import actor_of
from studio.waiting import waiting
from telemetry.models import EventRecord, ReviewRecord, SpecRecord
from telemetry.selectors import overview as selectors
from telemetry.selectors.evaluation import lateness
from tenants.actors import Actor
from tenants.models import ApiKey, App, Installation, Tenant

__all__ = ["overview_context"]

# A quarter: older publications are history.
LATELY: Final = timedelta(days=90)
# Two weeks: time for a release of the app that holds the key.
SOON: Final = timedelta(days=14)


class Figure(NamedTuple):
    """A count, and where to see what was counted."""

    number: int
    name: str
    note: str
    address: str


class Task(NamedTuple):
    """Something that waits for somebody."""

    icon: str
    text: str
    note: str
    address: str
    action: str


class Publication(NamedTuple):
    """Something that went live."""

    title: str
    summary: str
    address: str
    instant: datetime | None
    label: str


def overview_context(request: HttpRequest) -> dict[str, Any]:
    """What the overview shows to this person; 11 queries at most, none for somebody without a role."""
    actor = actor_of(request)
    if not actor.can_somewhere("view"):
        return {"has_role": False}
    start, end = DAY.span(timezone.now())
    busiest = selectors.busiest_installations(start, end)
    return {
        "has_role": True,
        "figures": _figures(selectors.counts()),
        "tasks": [*_waiting(waiting(request)), *_tasks()],
        "busiest": busiest,
        # Nothing to draw, nothing to ask for.
        "chart": outcome_chart(None, start, end, DAY) if busiest else "",
        "publications": _publications(),
        "links": list(_links(actor)),
    }


def _figures(counts: selectors.Counts) -> list[Figure]:
    published = f"{counts.published_specs} published"
    apps, keys = f"{counted(counts.apps, 'app')} to install", f"{counted(counts.keys, 'key')} in use"
    return [
        Figure(counts.specs, noun(counts.specs, "spec"), published, list_address(SpecRecord)),
        Figure(counts.events, noun(counts.events, "event"), "in the drafts of all specs", list_address(EventRecord)),
        Figure(counts.tenants, noun(counts.tenants, "tenant"), apps, list_address(Tenant)),
        Figure(counts.installations, noun(counts.installations, "installation"), keys, list_address(Installation)),
    ]


def _waiting(counts: Mapping[str, int]) -> Iterator[Task]:
    """What has a list of its own, counted."""
    if incidents := counts["incidents"]:
        text = counted(incidents, "open incident")
        yield Task("notifications_active", text, "Nobody has taken them up yet", reverse("incidents"), "Look")
    late = lateness()
    if late.installations:
        text = f"Anomalies of {counted(late.installations, 'installation')} are not judged"
        note = f"Since {late.since:%Y-%m-%d %H:%M} UTC; look at worker and beat"
        yield Task("heart_broken", text, note, reverse("alerts"), "Look")
    if findings := counts["findings"]:
        text, note = counted(findings, "privacy finding"), "Values that look personal, in properties that do not say so"
        yield Task("policy", text, note, reverse("privacy_inbox"), "Decide")
    if proposals := counts["proposals"]:
        text, note = counted(proposals, "proposal"), "What the studio would change in specs and configs, with evidence"
        yield Task("lightbulb", text, note, reverse("proposals"), "Decide")
    if reviews := counts["reviews"]:
        yield Task("rate_review", counted(reviews, "review"), "Waiting for you", list_address(ReviewRecord), "Review")


def _tasks() -> Iterator[Task]:
    broken = selectors.broken_bindings()
    for unbound in broken.unbound:
        what = f"the spec {unbound.spec_name} is not published" if unbound.spec_name else "no spec is bound"
        note = f"{unbound.environment}: {what}, so its apps get no config"
        yield Task("link_off", f"{unbound.app} at {unbound.tenant}", note, _toggles(unbound.public_id), "Bind")
    for dangling in broken.dangling:
        note = f"{dangling.environment}: names the event {dangling.reference}, which the spec does not have"
        address = reverse("admin:tenants_installation_explain", args=[dangling.public_id])
        yield Task("rule", f"{dangling.app} at {dangling.tenant}", note, address, "Explain")
    for key in selectors.expiring_keys(SOON):
        note = f"The key {key.name} expires soon"
        yield Task("key", str(key.installation), note, address_of(key), "Rotate")
    for spec in selectors.changed_drafts():
        note = "Unpublished changes" if spec.published_revision else "Never published"
        yield Task("edit_note", spec.name, note, address_of(spec), "Review")
    for config in selectors.drafted_overrides():
        note = f"Draft of version {config.number}, begun by {config.created_by_label}"
        yield Task("tune", str(config.installation), note, page_address(config.installation, "toggles"), "Open")


def _toggles(public_id: object) -> str:
    return reverse("admin:tenants_installation_toggles", args=[public_id])


def _publications() -> list[Publication]:
    since = timezone.now() - LATELY
    found = [
        *(
            Publication(str(each), each.change_summary, address_of(each), each.published_at, each.published_by_label)
            for each in selectors.recent_versions(since)
        ),
        *(
            Publication(
                f"Override {each.number} of {each.installation}",
                each.change_summary,
                address_of(each),
                each.published_at,
                each.published_by_label,
            )
            for each in selectors.recent_overrides(since)
        ),
    ]
    return sorted(found, key=lambda each: each.instant or since, reverse=True)[: selectors.SHOWN]


def _links(actor: Actor) -> Iterator[tuple[str, str, str]]:
    """Icon, words and address of what people start with."""
    if actor.can("spec.edit"):
        yield "add", "New spec", f"{list_address(SpecRecord)}add/"
        yield "upload", "Import a spec", reverse("admin:telemetry_specrecord_import_new")
    if actor.can("app.manage"):
        yield "apps", "New app", f"{list_address(App)}add/"
    if actor.can_somewhere("config.edit"):
        yield "tune", "Toggles of an installation", list_address(Installation)
    if actor.can_somewhere("key.manage"):
        yield "key", "Issue a key", f"{list_address(ApiKey)}add/"
