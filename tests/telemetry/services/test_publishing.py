"""Publishing freezes exactly what was reviewed; nothing that was published is ever different afterwards."""

import hashlib
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries, Settings

from telemetry.core.codec import encode_spec
from telemetry.core.config import AppBlueprint, SpecPointer, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import (
    Conflict,
    DuplicateEvent,
    InvalidDocument,
    NotAllowed,
    StaleRevision,
    UnknownSpec,
)
from telemetry.core.spec import Deprecation, EventDefinition, TelemetrySpec
from telemetry.models import EventOwner, EventRecord, SpecRecord, SpecVersion, VersionStatus
from telemetry.selectors.specs import version_of
from telemetry.services.publishing import archive_version, publish_version
from telemetry.services.specs import delete_event, replace_draft, save_event
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tenants.roles import Role
from tests.core.builders import make_event, make_sigil_spec, make_spec
from tests.core.strategies import publishable_specs
from tests.telemetry.factories import everything_stored, make_draft, make_installation, make_published
from tests.tenants.factories import make_actor, make_tenant

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"


def publish(revision: int | None = None, *, name: str = NAME, actor: Actor = SYSTEM) -> SpecVersion:
    """The draft as it is now is published, unless another revision is named."""
    expected = SpecRecord.objects.get(name=name).draft_revision if revision is None else revision
    return publish_version(actor=actor, name=name, expected_revision=expected, change_summary="A good reason")


def publish_next(spec: TelemetrySpec) -> SpecVersion:
    """The spec replaces the draft of its name and is published."""
    record = SpecRecord.objects.get(name=spec.meta.name)
    replace_draft(actor=SYSTEM, name=record.name, document=encode_spec(spec), expected_revision=record.draft_revision)
    return publish(name=record.name)


# What publishing leaves behind


def test_the_first_version_is_the_seeds_document() -> None:
    make_draft()

    version = publish()

    assert version.document_bytes == encode_spec(make_sigil_spec())
    assert version.checksum == hashlib.sha256(version.document_bytes).hexdigest()
    assert (version.version, version.status, version.based_on) == (1, VersionStatus.PUBLISHED, None)
    assert (version.published_by_label, version.change_summary) == ("system", "A good reason")
    record = SpecRecord.objects.get()
    assert (record.draft_version, record.draft_revision, record.config_revision) == (2, 2, 1)
    assert not record.has_changes
    entry = AuditEntry.objects.latest("id")
    assert (entry.action, entry.target_label) == ("spec.version.published", "sigil.telemetry@1")
    assert entry.details == {"version": 1, "checksum": version.checksum, "config_revision": 1}


def test_the_next_version_supersedes_the_one_it_is_based_on() -> None:
    first = make_published()
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"))

    second = publish()

    statuses = dict(SpecVersion.objects.values_list("version", "status"))
    assert statuses == {1: VersionStatus.SUPERSEDED, 2: VersionStatus.PUBLISHED}
    assert second.based_on == first
    assert SpecRecord.objects.get().config_revision == 2


def successors(events: tuple[EventDefinition, ...], number: int) -> Iterator[EventDefinition]:
    """The events as they may stand in version ``number``: all new, deprecated, and one more that no other has."""
    for index, event in enumerate((*events, make_event(f"version_{number}"))):
        version = 100 * number + index
        yield msgspec.structs.replace(event, version=version, deprecation=Deprecation(reason="Only for this test"))


class PastVersionTests(TestCase):
    """Hypothesis needs a database transaction of its own for each example, which this class opens."""

    @given(st.lists(publishable_specs(), min_size=1, max_size=4))
    def test_every_version_is_served_byte_for_byte_for_ever(self, drawn: list[TelemetrySpec]) -> None:
        published: dict[int, bytes] = {}
        with tenant_context(ALL):
            for number, spec in enumerate(drawn, start=1):
                next_spec = make_spec(*successors(spec.events, number), version=number, config=spec.config)
                version = make_published(next_spec) if number == 1 else publish_next(next_spec)
                published[version.version] = encode_spec(next_spec)

        served = {number: version_of(NAME, number).document_bytes for number in published}

        assert served == published
        assert version_of(NAME).version == len(drawn)


@pytest.mark.parametrize("events", [1, 40])
def test_publishing_costs_the_same_number_of_queries_for_a_large_spec(
    events: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_draft(make_spec(*(make_event(f"event_{number}") for number in range(events))))

    with django_assert_num_queries(17):
        publish(1)


# What is refused


def test_what_was_not_reviewed_is_not_published() -> None:
    make_draft()
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"))
    before = everything_stored()

    with pytest.raises(StaleRevision, match="at revision 2"):
        publish(1)

    assert everything_stored() == before


def test_a_version_like_the_last_one_is_not_published() -> None:
    make_published()
    before = everything_stored()

    with pytest.raises(Conflict, match="nothing has changed since version 1"):
        publish()

    assert everything_stored() == before


def test_a_draft_that_breaks_rules_is_not_published() -> None:
    make_draft(make_spec(make_event("first"), make_event("second")))
    # Past the services, as a careless script would.
    EventRecord.objects.filter(name="second").update(
        sampling_rate=0.5, sampling_conditions=["properties.nothing == 'x'", "1"]
    )
    before = everything_stored()

    with pytest.raises(InvalidDocument) as error:
        publish()

    assert [(each.code, each.path) for each in error.value.errors] == [
        ("invalid_condition", "events[1].sampling.conditions[0]"),
        ("invalid_condition", "events[1].sampling.conditions[1]"),
    ]
    assert everything_stored() == before


def test_an_event_belongs_to_the_spec_that_published_it_first() -> None:
    make_published(make_spec(make_event("shared"), make_event("own")))
    make_draft(make_spec(make_event("shared"), make_event("free"), name="other"))
    before = everything_stored()

    with pytest.raises(DuplicateEvent, match=r"event shared belongs to the spec sigil\.telemetry"):
        publish(name="other")

    assert everything_stored() == before
    assert dict(EventOwner.objects.values_list("name", "spec__name")) == {"shared": NAME, "own": NAME}


def test_another_version_of_the_event_may_belong_to_another_spec() -> None:
    make_published(make_spec(make_event("shared", 1)))

    make_published(make_spec(make_event("shared", 2), name="other"))

    owners = list(EventOwner.objects.values_list("version", "spec__name"))
    assert owners == [(1, NAME), (2, "other")]


def test_an_event_that_a_later_version_leaves_out_stays_owned() -> None:
    make_published(make_spec(make_event("first", deprecation=Deprecation(reason="Unused")), make_event("second")))
    delete_event(actor=SYSTEM, spec_name=NAME, event_name="first", event_version=1)
    publish()

    with pytest.raises(DuplicateEvent):
        make_published(make_spec(make_event("first"), name="other"))


@pytest.mark.parametrize("summary", ["", "  \n", "x" * 4001, "a\0b"], ids=["empty", "blank", "long", "control"])
def test_a_version_needs_a_reason_that_can_be_read(summary: str) -> None:
    make_draft()
    before = everything_stored()

    with pytest.raises(InvalidDocument, match="change_summary"):
        publish_version(actor=SYSTEM, name=NAME, expected_revision=1, change_summary=summary)

    assert everything_stored() == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PRIVACY_OFFICER, None])
def test_who_may_not_publish_changes_nothing(role: Role | None) -> None:
    make_draft()
    # A role in one tenant gives none in the workspace, to which specs belong.
    actor = make_actor(Role.ADMIN, make_tenant()) if role is None else make_actor(role)
    before = everything_stored()

    with pytest.raises(NotAllowed, match=r"spec\.publish"):
        publish(actor=actor)
    with pytest.raises(NotAllowed, match=r"spec\.publish"):
        archive_version(actor=actor, name=NAME, version=1)

    assert everything_stored() == before


def test_an_unknown_spec_cannot_be_published() -> None:
    with pytest.raises(UnknownSpec):
        publish_version(actor=SYSTEM, name="nothing", expected_revision=1, change_summary="A good reason")


# Protecting less takes more; what needs an approval besides is the business of test_approvals


def test_a_publisher_alone_cannot_protect_less() -> None:
    publisher = make_actor(Role.PUBLISHER)
    make_published(make_spec(make_event(privacy=PrivacyLevel.PII)))
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event(privacy=PrivacyLevel.PUBLIC))
    before = everything_stored()

    with pytest.raises(NotAllowed, match=r"privacy\.loosen"):
        publish(actor=publisher)

    assert everything_stored() == before


def test_a_publisher_can_protect_more(settings: Settings) -> None:
    settings.STUDIO_REVIEW_REQUIRED = "never"
    make_published(make_spec(make_event(privacy=PrivacyLevel.INTERNAL)))
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event(privacy=PrivacyLevel.SENSITIVE))

    version = publish(actor=make_actor(Role.PUBLISHER))

    assert version.version == 2


def test_an_admin_can_protect_less(settings: Settings) -> None:
    settings.STUDIO_REVIEW_REQUIRED = "never"
    make_published(make_spec(make_event(privacy=PrivacyLevel.PII)))
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event(privacy=PrivacyLevel.PUBLIC))

    version = publish(actor=make_actor(Role.ADMIN))

    assert version.version == 2


def test_archiving_does_not_open_a_way_around() -> None:
    make_published(make_spec(make_event(privacy=PrivacyLevel.PII)))
    archive_version(actor=SYSTEM, name=NAME, version=1)
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event(privacy=PrivacyLevel.PUBLIC))

    with pytest.raises(NotAllowed, match=r"privacy\.loosen"):
        publish(actor=make_actor(Role.PUBLISHER))


# Archiving


def two_versions() -> None:
    make_published()
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"))
    publish()


def test_an_archived_version_stays_readable() -> None:
    two_versions()
    document = version_of(NAME, 1).document_bytes

    archived = archive_version(actor=SYSTEM, name=NAME, version=1)

    assert archived.status == VersionStatus.ARCHIVED
    assert version_of(NAME, 1).document_bytes == document == encode_spec(make_sigil_spec())
    assert SpecRecord.objects.get().config_revision == 3
    assert AuditEntry.objects.latest("id").action == "spec.version.archived"


def test_a_version_is_archived_once() -> None:
    two_versions()
    archive_version(actor=SYSTEM, name=NAME, version=1)
    before = everything_stored()

    with pytest.raises(Conflict, match="archived already"):
        archive_version(actor=SYSTEM, name=NAME, version=1)
    with pytest.raises(UnknownSpec, match="has no version 3"):
        archive_version(actor=SYSTEM, name=NAME, version=3)

    assert everything_stored() == before


@pytest.mark.parametrize(
    ("version", "blueprint", "override", "user"),
    [
        (2, SpecPointer(name=NAME), None, "the app app-"),
        (2, SpecPointer(name=NAME, version=2), None, "the app app-"),
        (1, SpecPointer(name=NAME, version=1), None, "the app app-"),
        (1, None, SpecPointer(name=NAME, version=1), "acme with app-"),
        (2, None, SpecPointer(name=NAME), "acme with app-"),
    ],
)
def test_a_version_in_use_is_not_archived(
    version: int, blueprint: SpecPointer | None, override: SpecPointer | None, user: str
) -> None:
    two_versions()
    make_installation(
        "acme", blueprint=AppBlueprint(spec=blueprint), override=TenantOverride(spec=override) if override else None
    )
    before = everything_stored()

    with tenant_context(()), pytest.raises(Conflict, match=user):
        archive_version(actor=SYSTEM, name=NAME, version=version)

    assert everything_stored() == before


def test_a_retired_spec_gives_its_events_free() -> None:
    make_published(make_spec(make_event("shared")))

    archive_version(actor=SYSTEM, name=NAME, version=1)
    other = make_published(make_spec(make_event("shared"), name="other"))

    assert EventOwner.objects.get().spec == other.spec
    with pytest.raises(UnknownSpec):
        version_of(NAME)


def test_a_retired_spec_comes_back_by_publishing_its_draft() -> None:
    make_published()
    archive_version(actor=SYSTEM, name=NAME, version=1)

    again = publish()

    assert (again.version, again.status) == (2, VersionStatus.PUBLISHED)
