"""Held events are mended and taken in once, counted exactly, and shown to nobody."""

import json
from typing import Any

import msgspec
import pytest
from django.db.models import F, Sum
from pytest_django import Settings

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import EventOutcome, UndeclaredPolicy
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed
from telemetry.core.events import Context
from telemetry.core.mending import Mending
from telemetry.models import EventTally, HeldEvent, SpecRecord, StoredEvent
from telemetry.services.publishing import publish_version
from telemetry.services.quarantine.replaying import discard, rehearse, replay
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tests.core.builders import make_event, make_property
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import STEP, group, held, make_holding_spec, mending
from tests.tenants.factories import make_actor

pytestmark = pytest.mark.django_db

RENAME = mending({"step": "rename", "property": "stp", "to": "step"})


@pytest.fixture
def installation() -> Installation:
    make_published(make_holding_spec())
    return make_installation()


def refuse(installation: Installation, count: int = 1, **properties: Any) -> None:
    ingest(installation, *(make_incoming(properties={"stp": "build", **properties}) for _ in range(count)))


def words(counts: Any) -> dict[str, int]:
    return {word.value: count for word, count in counts.items()}


def test_a_rehearsal_tells_what_would_become_of_them_and_changes_nothing(installation: Installation) -> None:
    refuse(installation, 3)
    before = everything_stored()

    with tenant_context(ALL):
        plain = rehearse(actor=SYSTEM, group=group(), mending=Mending())
        mended = rehearse(actor=SYSTEM, group=group(), mending=RENAME)

    assert words(plain.outcomes) == {"rejected": 3}
    assert plain.refusals == {"missing_required properties.step; undeclared_property properties.stp": 3}
    assert plain.preview is None
    assert (words(mended.outcomes), dict(mended.refusals), mended.unreadable) == ({"stored": 3}, {}, 0)
    assert everything_stored() == before


def test_the_preview_is_redacted_as_the_event_would_be(installation: Installation) -> None:
    context = Context(user_id="CANARY", channel="web")
    ingest(
        installation, make_incoming(properties={"stp": "build", "userId": "CANARY", "note": "CANARY"}, context=context)
    )

    with tenant_context(ALL):
        preview = rehearse(actor=SYSTEM, group=group(), mending=RENAME).preview

    assert preview is not None
    assert (preview.name, preview.version) == (STEP, 1)
    assert preview.properties == {"step": "build", "userId": "REDACTED"}
    assert preview.context["channel"] == "web"
    assert "CANARY" not in json.dumps(preview)


def test_mended_events_are_stored_once_under_their_ids_and_held_no_longer(installation: Installation) -> None:
    sent = [make_incoming(properties={"stp": "build"}) for _ in range(3)]
    ingest(installation, *sent)

    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=RENAME)
        stored = {str(event.id) for event in StoredEvent.objects.all()}

    assert (words(done.outcomes), done.still_held, done.left) == ({"stored": 3}, 0, 0)
    assert stored == {each.envelope.id for each in sent if each.envelope is not None}
    assert held() == []


def test_pressing_twice_stores_nothing_more(installation: Installation) -> None:
    refuse(installation, 2)
    pressed = group()

    with tenant_context(ALL):
        first = replay(actor=SYSTEM, group=pressed, mending=RENAME)
        second = replay(actor=SYSTEM, group=pressed, mending=RENAME)
        assert StoredEvent.objects.count() == 2

    assert (words(first.outcomes), words(second.outcomes)) == ({"stored": 2}, {})


def test_an_event_that_came_again_mended_is_a_duplicate(installation: Installation) -> None:
    sent = make_incoming(properties={"stp": "build"})
    ingest(installation, sent)
    assert sent.envelope is not None
    ingest(installation, make_incoming(event_id=sent.envelope.id, properties={"step": "build"}))

    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=RENAME)
        assert StoredEvent.objects.count() == 1

    assert words(done.outcomes) == {"duplicate": 1}
    assert held() == []


def test_the_balance_holds_and_counts_them_as_received_again(installation: Installation) -> None:
    refuse(installation, 3)
    with tenant_context(ALL):
        replay(actor=SYSTEM, group=group(), mending=RENAME)
        rows = EventTally.objects.filter(name=STEP)
        totals = rows.aggregate(received=Sum("received"), stored=Sum("stored"), rejected=Sum("rejected"))
        unbalanced = rows.exclude(
            received=F("stored") + F("sampled_out") + F("disabled") + F("rejected") + F("duplicate")
        )

        assert not unbalanced.exists()
        assert StoredEvent.objects.count() == 3
    assert totals == {"received": 6, "stored": 3, "rejected": 3}


def test_what_would_still_be_refused_stays_as_it_is_and_is_not_counted_again(
    installation: Installation,
) -> None:
    refuse(installation, 2, durationMs="slow")
    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=mending({"step": "drop", "property": "durationMs"}))
        rejected = EventTally.objects.aggregate(all=Sum("rejected"))["all"]

    assert (words(done.outcomes), done.still_held) == ({}, 2)
    assert {(row.event_name, row.reason) for row in held()} == {
        (
            STEP,
            "missing_required properties.step; undeclared_property properties.stp; wrong_type properties.durationMs",
        )
    }
    assert (done.left, rejected) == (2, 2)


def test_only_the_group_is_taken_in(installation: Installation) -> None:
    refuse(installation)
    ingest(installation, make_incoming(properties={"step": 7}), make_incoming(name="unknown"))

    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=RENAME)

    assert words(done.outcomes) == {"stored": 1}
    assert len(held()) == 2


def test_more_than_one_request_can_carry_is_taken_in_by_asking_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("telemetry.services.quarantine.replaying.MOST_AT_ONCE", 2)
    refuse(installation, 3)
    pressed = group()

    with tenant_context(ALL):
        first = replay(actor=SYSTEM, group=pressed, mending=RENAME)
        second = replay(actor=SYSTEM, group=pressed, mending=RENAME)

    assert (words(first.outcomes), first.left) == ({"stored": 2}, 1)
    assert (words(second.outcomes), second.left) == ({"stored": 1}, 0)


def test_those_that_stay_held_hold_up_nobody(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.quarantine.replaying.MOST_AT_ONCE", 2)
    number = mending({"step": "cast", "property": "durationMs", "type": "number"})
    slow = [make_incoming(properties={"step": "a", "durationMs": "slow"}) for _ in range(3)]
    ingest(installation, *slow, make_incoming(properties={"step": "a", "durationMs": "12"}))

    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=number)

    assert (words(done.outcomes), done.still_held, done.left) == ({"stored": 1}, 3, 3)


@pytest.mark.parametrize(
    "steps",
    [
        [{"step": "rename", "property": "userId", "to": "step"}],
        [
            {"step": "rename", "property": "userId", "to": "other"},
            {"step": "drop", "property": "step"},
            {"step": "rename", "property": "other", "to": "step"},
        ],
    ],
)
@pytest.mark.parametrize("deed", [rehearse, replay])
def test_what_the_contract_hides_cannot_be_shown_under_another_name(
    installation: Installation, steps: list[dict[str, str]], deed: Any
) -> None:
    ingest(installation, make_incoming(properties={"userId": "CANARY", "durationMs": "slow"}))

    with pytest.raises(InvalidDocument, match="would show userId") as refused, tenant_context(ALL):
        deed(actor=SYSTEM, group=group(), mending=mending(*steps))

    assert "CANARY" not in str(refused.value)
    assert len(held()) == 1


def test_what_the_contract_hides_cannot_be_shown_under_another_contract() -> None:
    spec = make_holding_spec()
    open_event = make_event("open_event", properties={"userId": make_property()})
    make_published(msgspec.structs.replace(spec, events=(*spec.events, open_event)))
    ingest(make_installation(), make_incoming(properties={"userId": "CANARY"}))

    with pytest.raises(InvalidDocument, match="would show userId"), tenant_context(ALL):
        rehearse(actor=SYSTEM, group=group(), mending=mending(event="open_event"))


def test_an_unknown_event_gets_the_name_and_version_that_it_should_have_had(installation: Installation) -> None:
    ingest(installation, make_incoming(name="workflow_stpe", version=9, properties={"step": "build"}))

    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=mending(event=STEP, version=1))

    assert words(done.outcomes) == {"stored": 1}


def test_undeclared_properties_can_be_dropped_without_knowing_their_names() -> None:
    make_published(make_holding_spec(undeclared=UndeclaredPolicy.QUARANTINE))
    context = Context(metadata={"origin": "x"})
    ingest(make_installation(), make_incoming(properties={"step": "a", "bob@example.com": 1}, context=context))

    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=mending({"step": "drop_undeclared"}))
        assert StoredEvent.objects.get().properties == {"step": "a"}

    assert words(done.outcomes) == {"stored": 1}


def test_once_the_event_is_planned_it_is_taken_in_as_it_was_sent(installation: Installation) -> None:
    ingest(installation, make_incoming(name="workflow_done", properties={"step": "a"}))
    with tenant_context(ALL):
        assert words(rehearse(actor=SYSTEM, group=group(), mending=Mending()).outcomes) == {"rejected": 1}
        row = save_event(
            actor=SYSTEM,
            spec_name="sigil.telemetry",
            event=make_event("workflow_done", properties={"step": make_property()}),
        )
        publish_version(
            actor=SYSTEM,
            name="sigil.telemetry",
            expected_revision=SpecRecord.objects.get(pk=row.spec_id).draft_revision,
            change_summary="Plan what is sent",
        )

        done = replay(actor=SYSTEM, group=group(), mending=Mending())
        assert StoredEvent.objects.get().name == "workflow_done"

    assert words(done.outcomes) == {"stored": 1}


def test_a_replay_leaves_a_trace_without_any_value(installation: Installation) -> None:
    refuse(installation, 2, note="CANARY")

    with tenant_context(ALL):
        replay(actor=SYSTEM, group=group(), mending=RENAME)
        entry = AuditEntry.objects.order_by("-id").first()

    assert entry is not None
    assert entry.action == "quarantine.replayed"
    assert entry.tenant_id == installation.tenant_id
    assert entry.details["mending"] == ["rename stp to step"]
    assert (entry.details["stored"], entry.details["still_held"]) == (2, 0)
    assert "CANARY" not in json.dumps(entry.details)


def test_events_whose_secret_is_gone_cannot_be_opened(installation: Installation, settings: Settings) -> None:
    refuse(installation)
    settings.STUDIO_QUARANTINE_KEYS = ["another secret that opens nothing"]

    with tenant_context(ALL):
        assert rehearse(actor=SYSTEM, group=group(), mending=RENAME).unreadable == 1
        with pytest.raises(Conflict, match="none of these events can be opened"):
            replay(actor=SYSTEM, group=group(), mending=RENAME)

    assert len(held()) == 1


def test_expired_events_are_passed_over(installation: Installation) -> None:
    refuse(installation, 2)
    pressed = group()
    with tenant_context(ALL):
        HeldEvent.objects.filter(pk=pressed.row_id).update(expires_at=held()[0].received_at)
        done = replay(actor=SYSTEM, group=pressed, mending=RENAME)

    assert words(done.outcomes) == {"stored": 1}


def test_discarded_events_are_gone(installation: Installation) -> None:
    refuse(installation, 2)
    ingest(installation, make_incoming(name="unknown"))

    with tenant_context(ALL):
        assert discard(actor=SYSTEM, group=group()) == 2

    assert [row.event_name for row in held()] == ["unknown"]


@pytest.mark.parametrize("deed", [rehearse, replay])
def test_without_a_secret_nothing_can_be_opened(installation: Installation, settings: Settings, deed: Any) -> None:
    refuse(installation)
    settings.STUDIO_QUARANTINE_KEYS = []

    with pytest.raises(Conflict, match="STUDIO_QUARANTINE_KEYS is not set"), tenant_context(ALL):
        deed(actor=SYSTEM, group=group(), mending=RENAME)


@pytest.mark.parametrize("deed", [rehearse, replay])
def test_who_may_not_handle_them_does_nothing(installation: Installation, deed: Any) -> None:
    refuse(installation)
    analyst = make_actor(Role.ANALYST, installation.tenant)

    with pytest.raises(NotAllowed, match="quarantine"), tenant_context(ALL):
        deed(actor=analyst, group=group(), mending=RENAME)

    assert len(held()) == 1


def test_disabled_and_sampled_out_events_are_settled_too(installation: Installation) -> None:
    off = make_installation("off", override=TenantOverride(events={STEP: EventOverride(enabled=False)}))
    refuse(off)

    with tenant_context(ALL):
        done = replay(actor=SYSTEM, group=group(), mending=RENAME)

    assert words(done.outcomes) == {"disabled": 1}
    assert done.outcomes[EventOutcome.STORED] == 0
    assert held() == []
