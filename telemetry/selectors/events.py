"""Events of drafts, for lists and search."""

from django.db.models import Case, Count, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import UnknownEvent
from telemetry.mappers import events_with_parts
from telemetry.models import EventOwner, EventRecord, PropertyRecord, SpecRecord

__all__ = ["event_in_drafts", "event_of", "events_of", "search_events"]


def events_of(spec: SpecRecord) -> QuerySet[EventRecord]:
    """The events of the spec's draft in document order, each with properties and thresholds; three queries."""
    return events_with_parts(spec)


def event_of(spec: SpecRecord, name: str, version: int) -> EventRecord:
    """The event of the spec's draft, with properties and thresholds; ``UnknownEvent``. Three queries."""
    found = None if "\x00" in name else events_with_parts(spec).filter(name=name, version=version).first()
    if found is None:
        raise UnknownEvent("the draft has no event of this name and version")
    return found


def event_in_drafts(name: str, version: int | None) -> EventRecord | None:
    """The event of the draft of the spec that owns the name, with its spec: this version, or the newest; one query."""
    owner = EventOwner.objects.filter(name=name).order_by("-version").values("spec")[:1]
    found = EventRecord.objects.filter(name=name, spec=owner).select_related("spec")
    return found.order_by(Case(When(version=version, then=0), default=1), "-version").first()


def search_events(text: str = "", *, spec_name: str = "", privacy: PrivacyLevel | None = None) -> QuerySet[EventRecord]:
    """Events of all drafts by name and version, each with ``spec`` and ``property_count``; one query.

    ``text`` is looked for, in either case and as plain text, in names and in what the event means, and matches a tag
    as a whole.
    """
    counted = PropertyRecord.objects.filter(event=OuterRef("pk")).order_by().values("event").annotate(count=Count("pk"))
    # The model declares the count, so that whoever shows a row may name it.
    events = EventRecord.objects.select_related("spec").annotate(  # type: ignore[no-redef]
        property_count=Coalesce(Subquery(counted.values("count")), 0)
    )
    if "\x00" in text + spec_name:
        return events.none()
    if text:
        events = events.filter(Q(name__icontains=text) | Q(semantics_what__icontains=text) | Q(tags__contains=[text]))
    if spec_name:
        events = events.filter(spec__name=spec_name)
    if privacy is not None:
        events = events.filter(privacy=privacy.value)
    return events.order_by("name", "version", "spec__name")
