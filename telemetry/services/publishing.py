"""From draft to frozen version, and a version's end."""

from django.db import transaction

from telemetry.core.codec import checksum, encode_spec
from telemetry.core.diff import find_unversioned_breaks
from telemetry.core.errors import Conflict, DuplicateEvent, UnknownSpec
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import validate_spec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.models import EventOwner, SpecRecord, SpecVersion, VersionStatus
from telemetry.selectors.bindings import bindings_of
from telemetry.services.approvals import close_review, require_approval
from telemetry.services.comparisons import says_the_same
from telemetry.services.config_parts import prepare_parts
from telemetry.services.drafts import lock_draft
from telemetry.services.linting import refuse_findings
from telemetry.services.proposals.publication import note_published_spec
from tenants.actors import Actor, require
from tenants.context import ALL, tenant_context
from tenants.models import ChangeScope
from tenants.services import audit
from tenants.services.checks import refuse_errors, text_error
from tenants.services.config_revision import Stamp, record_change, take_stamp

__all__ = ["archive_version", "publish_version"]


@transaction.atomic
def publish_version(*, actor: Actor, name: str, expected_revision: int, change_summary: str) -> SpecVersion:
    """The draft is frozen as the published version, its predecessor is superseded, and every bound config has moved.

    ``expected_revision`` is the ``draft_revision`` that was reviewed. Of several publishers at once exactly one
    succeeds. Needs ``spec.publish`` in the workspace, and what ``telemetry.services.approvals`` says about approvals;
    a version that protects less than its predecessor needs ``privacy.loosen`` or an approval. Raises ``StaleRevision``,
    which names the present revision; ``InvalidDocument`` with every broken rule, with every breaking change that needs
    a new version of its event, or with every error that lint finds; ``ApprovalRequired`` with all that needs an
    approval; ``DuplicateEvent`` when another spec owns one of the events; ``Conflict`` when nothing has changed.
    """
    require(actor, "spec.publish")
    refuse_errors("publication", text_error("change_summary", change_summary, required=True))
    # The counter's lock comes before every other one, here as everywhere.
    stamp = take_stamp()
    record = lock_draft(name, expected_revision)
    spec = spec_from_records(record)
    validate_spec(spec)
    previous = SpecVersion.objects.filter(spec=record).order_by("-version").first()
    before = None
    if previous is not None:
        before = spec_of_version(previous)
        _refuse_unchanged(previous, spec)
        refuse_errors("publication", *find_unversioned_breaks(before, spec))
    is_replaced = previous is not None and previous.status == VersionStatus.PUBLISHED
    refuse_findings(spec, before if is_replaced else None)
    require_approval(actor, record, before, spec)
    _own_events(record, spec)
    version = _freeze(actor, record, spec, previous, change_summary, stamp)
    close_review(record, version)
    record.draft_version += 1
    record.draft_revision += 1
    record.published_revision = record.draft_revision
    record.editors = {}
    record.config_revision = stamp.revision
    record.save()
    record_change(ChangeScope.SPEC, record.pk, stamp)
    prepare_parts(record.name)
    note_published_spec(spec, at=stamp.at)
    details = {"version": version.version, "checksum": version.checksum, "config_revision": stamp.revision}
    audit.record(actor=actor, action="spec.version.published", target=version, details=details)
    return version


@transaction.atomic
def archive_version(*, actor: Actor, name: str, version: int) -> SpecVersion:
    """The version is put away: it stays readable, and no app or tenant can be bound to it any more.

    The published version can go too, which retires the spec until its draft is published again; when no other version
    of the spec is left, other specs may define its events. Needs ``spec.publish`` in the workspace. Raises
    ``Conflict`` if it is archived already, or while an app or tenant is bound to it, and says which.
    """
    require(actor, "spec.publish")
    stamp = take_stamp()
    record = lock_draft(name)
    found = SpecVersion.objects.filter(spec=record, version=version).order_by().first()
    if found is None:
        raise UnknownSpec(f"the spec {record.name} has no version {version}")
    if found.status == VersionStatus.ARCHIVED:
        raise Conflict(f"version {version} of {record.name} is archived already")
    _refuse_while_bound(record, found)
    found.status = VersionStatus.ARCHIVED
    found.superseded_at = found.superseded_at or stamp.at
    found.save(update_fields=["status", "superseded_at"])
    if not SpecVersion.objects.filter(spec=record).exclude(status=VersionStatus.ARCHIVED).exists():
        EventOwner.objects.filter(spec=record).delete()
    record.config_revision = stamp.revision
    record.save(update_fields=["config_revision", "updated_at"])
    record_change(ChangeScope.SPEC, record.pk, stamp)
    details = {"version": version, "config_revision": stamp.revision}
    audit.record(actor=actor, action="spec.version.archived", target=found, details=details)
    return found


def _refuse_unchanged(previous: SpecVersion, spec: TelemetrySpec) -> None:
    """Return if ``spec`` says something else than the newest version, or that one is published no more."""
    if previous.status == VersionStatus.PUBLISHED and says_the_same(previous, spec):
        raise Conflict(f"nothing has changed since version {previous.version} of {spec.meta.name} was published")


def _own_events(record: SpecRecord, spec: TelemetrySpec) -> None:
    """Every event of ``spec`` belongs to this spec from here on; raises ``DuplicateEvent`` if one is another's."""
    wanted = [EventOwner(name=event.name, version=event.version, spec=record) for event in spec.events]
    EventOwner.objects.bulk_create(wanted, ignore_conflicts=True)
    names = [event.name for event in spec.events]
    owned = EventOwner.objects.filter(name__in=names).exclude(spec=record).select_related("spec")
    others = {(owner.name, owner.version): owner.spec.name for owner in owned}
    for event in spec.events:
        owner = others.get((event.name, event.version))
        if owner is not None:
            raise DuplicateEvent(f"version {event.version} of the event {event.name} belongs to the spec {owner}")


def _freeze(
    actor: Actor,
    record: SpecRecord,
    spec: TelemetrySpec,
    previous: SpecVersion | None,
    change_summary: str,
    stamp: Stamp,
) -> SpecVersion:
    published = SpecVersion.objects.filter(spec=record, status=VersionStatus.PUBLISHED)
    published.update(status=VersionStatus.SUPERSEDED, superseded_at=stamp.at)
    return SpecVersion.objects.create(
        spec=record,
        version=spec.meta.version,
        status=VersionStatus.PUBLISHED,
        document=encode_spec(spec).decode(),
        checksum=checksum(spec),
        change_summary=change_summary,
        published_by_label=actor.label,
        published_by_id=actor.id,
        published_at=stamp.at,
        based_on=previous,
    )


def _refuse_while_bound(record: SpecRecord, version: SpecVersion) -> None:
    # Bindings of every tenant count, whatever this actor may see of them.
    with tenant_context(ALL):
        bindings = bindings_of(record.name)
    is_latest = version.status == VersionStatus.PUBLISHED
    bound = [each for each in bindings if each.version == version.version or (each.version is None and is_latest)]
    if bound:
        shown = ", ".join(each.label for each in bound[:5]) + (", ..." if len(bound) > 5 else "")
        raise Conflict(f"version {version.version} of {record.name} is in use by {shown}")
