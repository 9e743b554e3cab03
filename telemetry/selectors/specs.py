"""Specs and their versions; they belong to the whole workspace.

Lists are querysets, not run yet, in the order of their page.
"""

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from telemetry.core.errors import UnknownSpec
from telemetry.models import EventOwner, EventRecord, SpecRecord, SpecVersion, VersionStatus

__all__ = [
    "published_version_with",
    "spec_by_name",
    "spec_drafting",
    "specs_with_status",
    "version_of",
    "versions_of",
    "versions_to_bind",
]


def specs_with_status() -> QuerySet[SpecRecord]:
    """All specs by name, each with ``event_count`` (of the draft), ``published_version`` and ``published_at``.

    The last two are ``None`` for a spec without a published version. One query, however many specs.
    """
    published = SpecVersion.objects.filter(spec=OuterRef("pk"), status=VersionStatus.PUBLISHED).order_by()
    events = EventRecord.objects.filter(spec=OuterRef("pk")).order_by().values("spec").annotate(count=Count("pk"))
    # The model declares these three, so that whoever shows a row may name them.
    return SpecRecord.objects.annotate(  # type: ignore[no-redef]
        event_count=Coalesce(Subquery(events.values("count")), 0),
        published_version=Subquery(published.values("version")),
        published_at=Subquery(published.values("published_at")),
    ).order_by("name")


def spec_by_name(name: str) -> SpecRecord:
    """The spec's row, as in ``specs_with_status``; ``UnknownSpec``. One query."""
    record = None if "\x00" in name else specs_with_status().filter(name=name).first()
    if record is None:
        raise UnknownSpec("there is no spec of this name")
    return record


def versions_of(spec: SpecRecord) -> QuerySet[SpecVersion]:
    """The frozen versions of the spec, newest first, each with the one it is based on; documents are not loaded."""
    rows = SpecVersion.objects.filter(spec=spec).select_related("spec", "based_on").order_by("-version")
    return rows.defer("document", "based_on__document")


def version_of(name: str, version: int | None = None) -> SpecVersion:
    """This version of the spec, in any status, or the published one for ``None``; ``UnknownSpec``. One query."""
    wanted = {"status": VersionStatus.PUBLISHED} if version is None else {"version": version}
    rows = SpecVersion.objects.filter(spec__name=name, **wanted).select_related("spec").order_by()
    found = None if "\x00" in name else rows.first()
    if found is None:
        shown = "published version" if version is None else f"version {version}"
        raise UnknownSpec(f"there is no {shown} of a spec of this name")
    return found


def published_version_with(event_name: str) -> SpecVersion | None:
    """The published version of the spec that owns the event; ``None`` if there is none. One query."""
    if "\x00" in event_name:
        return None
    owner = EventOwner.objects.filter(name=event_name).order_by("-version").values("spec")[:1]
    return SpecVersion.objects.filter(spec=owner, status=VersionStatus.PUBLISHED).select_related("spec").first()


def spec_drafting(event_name: str) -> SpecRecord | None:
    """The spec that has the event in its draft; of several, the one that owns it, or the first. One query."""
    if "\x00" in event_name:
        return None
    owned = EventOwner.objects.filter(name=event_name, spec=OuterRef("pk"))
    drafts = EventRecord.objects.filter(name=event_name).values("spec")
    return SpecRecord.objects.filter(pk__in=drafts).order_by(Exists(owned).desc(), "name").first()


def versions_to_bind() -> list[tuple[str, int]]:
    """Name and version of everything that an app or tenant can be bound to, by name, newest first; one query."""
    rows = SpecVersion.objects.exclude(status=VersionStatus.ARCHIVED).order_by("spec__name", "-version")
    return list(rows.values_list("spec__name", "version"))
