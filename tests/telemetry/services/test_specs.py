"""Changes of a draft: all of it or nothing, traced once, never over somebody else's."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.codec import encode_spec, spec_to_yaml
from telemetry.core.errors import (
    Conflict,
    DuplicateEvent,
    DuplicateSpec,
    InvalidDocument,
    NotAllowed,
    StaleRevision,
    UnknownEvent,
    UnknownSpec,
)
from telemetry.core.spec import EventDefinition, Sampling, TelemetryDefaults, TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.models import EventRecord, SpecRecord
from telemetry.services.specs import create_spec, delete_event, discard_draft, replace_draft, save_event, save_meta
from tenants.actors import SYSTEM
from tenants.models import AuditEntry
from tenants.roles import Role
from tests.core.builders import make_event, make_meta, make_property, make_sigil_spec, make_spec
from tests.telemetry.factories import everything_stored, make_draft, make_published
from tests.tenants.factories import make_actor, make_tenant

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
STEP = "sigil.telemetry.workflow_step"


def the_draft() -> TelemetrySpec:
    return spec_from_records(SpecRecord.objects.get(name=NAME))


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def paths(error: pytest.ExceptionInfo[InvalidDocument]) -> list[tuple[str, str]]:
    return [(each.code, each.path) for each in error.value.errors]


# Creating


def test_a_created_spec_is_a_draft_that_says_the_same() -> None:
    record = create_spec(actor=SYSTEM, spec=make_sigil_spec())

    assert the_draft() == make_sigil_spec()
    assert (record.draft_version, record.draft_revision, record.config_revision) == (1, 1, 0)
    assert record.has_changes
    assert actions() == ["spec.created"]


def test_a_name_is_given_once() -> None:
    make_draft()
    before = everything_stored()

    with pytest.raises(DuplicateSpec):
        create_spec(actor=SYSTEM, spec=make_spec())

    assert everything_stored() == before


def test_a_spec_built_in_code_is_checked_before_it_is_stored() -> None:
    wrong = make_spec(make_event(sampling=Sampling(rate=7.5)), make_event(version=0))

    with pytest.raises(InvalidDocument) as error:
        create_spec(actor=SYSTEM, spec=wrong)

    assert paths(error) == [("out_of_range", "events[0].sampling.rate"), ("out_of_range", "events[1].version")]
    assert everything_stored()["telemetry.SpecRecord"] == []


# Replacing the whole draft


@pytest.mark.parametrize("write", [encode_spec, spec_to_yaml], ids=["json", "yaml"])
def test_a_whole_document_takes_the_drafts_place(write: Callable[[TelemetrySpec], bytes | str]) -> None:
    make_draft()
    replacement = make_spec(make_event("only"))

    record = replace_draft(actor=SYSTEM, name=NAME, document=write(replacement), expected_revision=1)

    assert the_draft() == replacement
    assert record.draft_revision == 2
    assert actions() == ["spec.created", "spec.draft.replaced"]


def test_the_same_document_again_is_no_change() -> None:
    make_draft()
    before = everything_stored()

    replace_draft(actor=SYSTEM, name=NAME, document=encode_spec(make_sigil_spec()), expected_revision=1)

    assert everything_stored() == before


def test_a_document_that_only_reorders_properties_is_a_change() -> None:
    make_draft()
    (event,) = make_sigil_spec().events
    reordered = msgspec.structs.replace(event, properties=dict(reversed([*event.properties.items()])))
    document = encode_spec(msgspec.structs.replace(make_sigil_spec(), events=(reordered,)))

    replace_draft(actor=SYSTEM, name=NAME, document=document, expected_revision=1)

    assert encode_spec(the_draft()) == document


def document_with(*events: dict[str, Any], **parts: Any) -> bytes:
    """A document with these events, each of which is valid but for the parts that are given."""
    least = {"name": "a", "version": 1, "semantics": {"what": "w"}, "privacy": "internal"}
    meta = {"name": NAME, "version": 1, "title": "T"}
    return msgspec.json.encode({"meta": meta, "events": [least | event for event in events], **parts})


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"", ("empty", "")),
        (b"\xff\xfe{}", ("bad_encoding", "")),
        (b"{", ("bad_syntax", "")),
        (b'{"meta":' * 2000, ("too_deep", "")),
        (b"meta: &a [*a]", ("unsupported_yaml", "")),
        (b"{}", ("missing_key", "meta")),
        (document_with(extra=1), ("unknown_key", "extra")),
        (document_with(meta={"name": NAME, "version": 1, "title": "a\0"}), ("bad_character", "meta.title")),
        (document_with(meta={"name": "other", "version": 1, "title": "T"}), ("wrong_name", "meta.name")),
        (document_with({}, {}), ("duplicate_event", "events[1]")),
        (document_with({"sampling": {"rate": 7.5}}), ("out_of_range", "events[0].sampling.rate")),
        (document_with({"retention": {"days": -1}}), ("out_of_range", "events[0].retention.days")),
        (
            document_with({"sampling": {"rate": 1, "conditions": ["properties.nothing > 1"]}}),
            ("invalid_condition", "events[0].sampling.conditions[0]"),
        ),
        (b"x" * (2 * 1024 * 1024 + 1), ("too_large", "")),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_nothing_of_a_bad_document_is_stored(document: bytes, expected: tuple[str, str]) -> None:
    make_draft()
    before = everything_stored()

    with pytest.raises(InvalidDocument) as error:
        replace_draft(actor=SYSTEM, name=NAME, document=document, expected_revision=1)

    assert paths(error) == [expected]
    assert everything_stored() == before


def test_a_published_version_number_is_not_used_again() -> None:
    make_published()
    before = everything_stored()

    with pytest.raises(InvalidDocument) as error:
        replace_draft(actor=SYSTEM, name=NAME, document=encode_spec(make_spec()), expected_revision=2)

    assert paths(error) == [("out_of_range", "meta.version")]
    assert "at least 2" in str(error.value)
    assert everything_stored() == before


# Meta and defaults


def test_meta_and_defaults_change_without_the_events() -> None:
    make_draft()
    events = list(EventRecord.objects.values())

    record = save_meta(
        actor=SYSTEM,
        meta=make_meta(title="Renamed", version=4, owners=("@team.analytics",)),
        config=TelemetryDefaults(default_retention_days=7),
        expected_revision=1,
    )

    assert (record.title, record.draft_version, record.draft_revision) == ("Renamed", 4, 2)
    assert the_draft().config == TelemetryDefaults(default_retention_days=7)
    assert list(EventRecord.objects.values()) == events


def test_a_context_property_that_a_condition_needs_stays_declared() -> None:
    sampling = Sampling(rate=0.5, conditions=("context.metadata.plan == 'pro'",))
    config = TelemetryDefaults(context_properties={"plan": make_property(pii=False)})
    make_draft(make_spec(make_event(sampling=sampling), config=config))
    before = everything_stored()

    with pytest.raises(InvalidDocument) as error:
        save_meta(actor=SYSTEM, meta=make_meta(), config=None)

    assert paths(error) == [("invalid_condition", "events[0].sampling.conditions[0]")]
    assert everything_stored() == before


# Events


def test_a_new_event_comes_last() -> None:
    make_draft()

    row = save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"), expected_revision=1)

    assert [event.name for event in the_draft().events] == [STEP, "second"]
    assert [each.name for each in row.properties.all()] == ["step", "durationMs", "userId"]
    assert SpecRecord.objects.get().draft_revision == 2
    assert AuditEntry.objects.latest("id").details == {"draft_revision": 2, "event": "second", "event_version": 1}


def test_an_event_is_stored_as_given_and_leaves_the_others() -> None:
    make_draft(make_spec(make_event("first"), make_event("second"), make_event("third")))
    row = EventRecord.objects.get(name="second")
    changed = make_event("second", properties={"count": make_property("number", required=True)}, tags=("new",))

    saved = save_event(actor=SYSTEM, spec_name=NAME, event=changed)

    assert the_draft().events == (make_event("first"), changed, make_event("third"))
    assert saved.pk == row.pk


def test_an_event_that_is_renamed_keeps_its_place() -> None:
    make_draft(make_spec(make_event("first"), make_event("second")))
    row = EventRecord.objects.get(name="first")

    saved = save_event(actor=SYSTEM, spec_name=NAME, event=make_event("renamed", 2), replaces=("first", 1))

    assert [(event.name, event.version) for event in the_draft().events] == [("renamed", 2), ("second", 1)]
    assert saved.pk == row.pk


def test_an_event_that_is_saved_unchanged_leaves_no_trace() -> None:
    make_draft()
    before = everything_stored()

    save_event(actor=SYSTEM, spec_name=NAME, event=make_sigil_spec().events[0])

    assert everything_stored() == before


def bad_metric() -> EventDefinition:
    detection = make_sigil_spec().events[0].anomaly_detection
    return make_event(properties={"step": make_property()}, anomaly_detection=detection)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (bad_metric(), ("unknown_metric", "anomalyDetection.thresholds[0].metric")),
        (make_event(sampling=Sampling(rate=-1)), ("out_of_range", "sampling.rate")),
        (make_event(sampling=Sampling(rate=1, conditions=("1 +",))), ("invalid_condition", "sampling.conditions[0]")),
        (make_event("naïve"), ("bad_format", "name")),
        (
            make_event(properties={"a": msgspec.structs.replace(make_property(), type="text")}),
            ("unknown_word", "properties.a.type"),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_nothing_of_a_bad_event_is_stored(event: EventDefinition, expected: tuple[str, str]) -> None:
    make_draft()
    before = everything_stored()

    with pytest.raises(InvalidDocument) as error:
        save_event(actor=SYSTEM, spec_name=NAME, event=event)

    assert paths(error) == [expected]
    assert everything_stored() == before


def test_an_event_does_not_take_the_place_of_another() -> None:
    make_draft(make_spec(make_event("first"), make_event("second")))
    before = everything_stored()

    with pytest.raises(DuplicateEvent):
        save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"), replaces=("first", 1))
    with pytest.raises(UnknownEvent):
        save_event(actor=SYSTEM, spec_name=NAME, event=make_event("third"), replaces=("gone", 1))

    assert everything_stored() == before


def test_who_adds_an_event_never_replaces_one() -> None:
    make_draft(make_spec(make_event("first")))
    before = everything_stored()

    for event in (make_event("first"), make_event("first", tags=("changed",))):
        with pytest.raises(DuplicateEvent):
            save_event(actor=SYSTEM, spec_name=NAME, event=event, must_be_new=True)

    assert everything_stored() == before
    assert save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"), must_be_new=True).position == 1


def test_a_deleted_event_is_gone_with_all_its_parts() -> None:
    make_draft(make_spec(make_event("first"), make_event("second")))

    record = delete_event(actor=SYSTEM, spec_name=NAME, event_name="first", event_version=1, expected_revision=1)

    assert the_draft().events == (make_event("second"),)
    assert record.draft_revision == 2
    assert actions()[-1] == "spec.event.deleted"


@pytest.mark.parametrize("events", [2, 40])
def test_saving_one_event_costs_the_same_in_a_large_spec(
    events: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_draft(make_spec(*(make_event(f"event_{number}") for number in range(events))))
    changed = make_event("event_1", tags=("changed",))

    with django_assert_num_queries(22):
        save_event(actor=SYSTEM, spec_name=NAME, event=changed)


# Going back


def test_a_discarded_draft_says_what_is_published() -> None:
    make_published()
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"))
    assert SpecRecord.objects.get().has_changes

    record = discard_draft(actor=SYSTEM, name=NAME, expected_revision=3)

    assert the_draft().events == make_sigil_spec().events
    assert (record.draft_version, record.draft_revision) == (2, 4)
    assert not SpecRecord.objects.get().has_changes


def test_without_a_published_version_there_is_nothing_to_go_back_to() -> None:
    make_draft()
    before = everything_stored()

    with pytest.raises(Conflict):
        discard_draft(actor=SYSTEM, name=NAME, expected_revision=1)

    assert everything_stored() == before


# Who, and when


def every_change(**common: Any) -> list[Callable[[], object]]:
    return [
        lambda: save_meta(meta=make_meta(title="Other"), config=None, **common),
        lambda: save_event(spec_name=NAME, event=make_event("other"), **common),
        lambda: delete_event(spec_name=NAME, event_name=STEP, event_version=1, **common),
        lambda: discard_draft(name=NAME, **common),
        lambda: replace_draft(name=NAME, document=encode_spec(make_spec(version=2)), **common),
    ]


@pytest.mark.parametrize("change", range(5))
def test_a_change_of_what_is_no_longer_there_is_refused_with_the_present_revision(change: int) -> None:
    make_published()
    before = everything_stored()

    with pytest.raises(StaleRevision, match="at revision 2"):
        every_change(actor=SYSTEM, expected_revision=1)[change]()

    assert everything_stored() == before


@pytest.mark.parametrize("change", range(5))
@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_who_may_not_edit_specs_changes_nothing(change: int, role: Role | None) -> None:
    make_published()
    # A role in one tenant gives none in the workspace, to which specs belong.
    actor = make_actor(Role.ADMIN, make_tenant()) if role is None else make_actor(role)
    before = everything_stored()

    with pytest.raises(NotAllowed, match=r"spec\.edit"):
        every_change(actor=actor, expected_revision=2)[change]()
    with pytest.raises(NotAllowed, match=r"spec\.edit"):
        create_spec(actor=actor, spec=make_spec(name="another"))

    assert everything_stored() == before


def test_an_unknown_spec_is_said_to_be_unknown() -> None:
    with pytest.raises(UnknownSpec):
        save_event(actor=SYSTEM, spec_name="nothing", event=make_event())
    with pytest.raises(UnknownSpec):
        replace_draft(actor=SYSTEM, name="nothing", document=encode_spec(make_spec()), expected_revision=1)
