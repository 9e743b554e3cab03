"""A person is found nowhere after an erasure, and others are left alone."""

import json
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone
from pytest_django import Settings
from redis import Redis

from telemetry.core.enums import EventOutcome
from telemetry.core.errors import Conflict
from telemetry.models import (
    DeliveryRecord,
    ErasureState,
    EventRemoval,
    HeldEvent,
    ProviderKind,
    Receipt,
    SampledEvent,
    StoredEvent,
)
from telemetry.services.erasure import places, working
from telemetry.services.erasure.people import digest_of
from telemetry.services.erasure.requests import cancel_erasure
from telemetry.services.erasure.working import due_requests, work_on
from telemetry.services.holds import lift_hold, place_hold
from telemetry.services.what_if import sampling
from telemetry.stores.live import live_stream
from telemetry.stores.subjects import erase_events
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Tenant
from tenants.services.tenants import renew_pseudonym_key
from tests.telemetry.factories import everything_stored, ingest, make_provider
from tests.telemetry.services.erasure.person import (
    PERSON,
    about,
    confirm,
    enter,
    finish,
    make_shop,
    prepare,
    pseudonyms_of,
    stored,
    texts,
)

pytestmark = pytest.mark.django_db

_NOTHING = {"store": 0, "archive": 0, "quarantine": 0, "samples": 0, "tallies": 0, "live": 0, "exports": 0}

# Where a person stays known by pseudonyms: what keeps their later events away.
MARKS = ("telemetry_erasurerequest: ", "telemetry_erasedsubject: ")


def renew(tenant: Tenant) -> None:
    with tenant_context(ALL):
        renew_pseudonym_key(actor=SYSTEM, tenant=tenant)


def test_a_person_at_three_tenants_and_under_two_keys_is_found_nowhere_afterwards(
    redis_url: str, as_owner: Callable[[], AbstractContextManager[None]]
) -> None:
    prepare()
    shops = [make_shop(slug) for slug in ("acme", "globex", "initech")]
    for shop in shops:
        ingest(shop, about(), about("somebody else"), about(None, properties={"orderId": "o", "note": PERSON}))
        ingest(shop, about(None, properties={"orderId": "o", "customer": PERSON}), about(properties={}))
        renew(shop.tenant)
        ingest(shop, about(), about(None, context={"device_id": PERSON}))
        live_stream().publish(shop.public_id, [json.dumps({"values": pseudonyms_of(shop.tenant)}).encode()])
    names = [name for shop in shops for name in pseudonyms_of(shop.tenant)]
    assert len(set(names)) == 6
    with as_owner():
        before = texts()
    assert [name for name in names if name not in before] == []

    requests = enter(*[shop.tenant for shop in shops])
    for request in requests:
        assert _by_place(request.found) == {"store": 5, "quarantine": 1, "live": 1}
        confirm(request)
        finish(request)

    with as_owner():
        after = texts()
    assert PERSON not in after
    assert [line for line in after.splitlines() if not line.startswith(MARKS) and _names(line, names)] == []
    with Redis.from_url(redis_url) as client:
        kept = b"".join(client.dump(key) or b"" for key in client.scan_iter())
    assert [name for name in (*names, PERSON) if name.encode() in kept] == []
    assert [request.state for request in requests] == [ErasureState.DONE] * 3
    assert [_by_place(request.erased) for request in requests] == [{"store": 5, "quarantine": 1, "live": 1}] * 3
    assert [request.left for request in requests] == [[]] * 3
    assert stored() == 3


def test_the_id_inside_a_longer_text_is_found_in_every_place_and_gone_afterwards(settings: Settings) -> None:
    settings.STUDIO_SAMPLE_HOURS = 24
    prepare()
    shop = make_shop("acme")
    # A kind that nobody can tell, so that the request comes to its end.
    provider = make_provider(shop, kind=ProviderKind.OPENTELEMETRY)
    sampling._next_at.clear()
    mention = {"orderId": "o-1", "note": f"<{PERSON.upper()}> asked for it"}
    ingest(shop, about("somebody else", properties=mention), about("a third"))
    ingest(shop, about("somebody else", properties={"note": f"/invite?to={quote(PERSON)}"}))
    live_stream().publish(shop.public_id, [json.dumps({"values": [f"said {PERSON}."]}).encode(), b'{"values": []}'])

    [request] = enter(shop.tenant)
    assert _by_place(request.found) == {"store": 1, "outbox": 1, "samples": 2, "quarantine": 1, "live": 1}
    confirm(request)
    finish(request)

    assert (_by_place(request.erased), request.left) == (_by_place(request.found), [])
    with tenant_context(ALL):
        [receipt] = Receipt.objects.all()
        kept = list(StoredEvent.objects.values_list("id", flat=True))
        assert [row.event_ids for row in DeliveryRecord.objects.filter(provider=provider)] == [kept]
        assert HeldEvent.objects.count() == 0
    assert receipt.facts["erased"] == {**_NOTHING, "store": 1, "outbox": 1, "samples": 2, "quarantine": 1, "live": 1}
    assert len(kept) == 1


def test_an_address_that_was_entered_in_capitals_is_found_in_small_letters_and_kept_away() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    ingest(shop, about(PERSON.title()))

    [request] = enter(shop.tenant, subjects=(PERSON.title(),))
    confirm(request)
    finish(request)

    assert (_by_place(request.erased), stored()) == ({"store": 2}, 0)
    assert ingest(shop, about()).items[0].outcome == EventOutcome.DISABLED


def test_what_was_erased_is_counted_in_the_balance_by_day_and_event() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about(), about(), about("somebody else"))

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    with tenant_context(ALL):
        [removal] = EventRemoval.objects.all()
    assert (removal.name, removal.version, removal.erased, removal.purged) == ("shop.order", 1, 2, 0)


def test_counting_changes_nothing_that_is_stored_about_the_person() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about(), about(properties={}))
    before = everything_stored()

    enter(shop.tenant)

    after = everything_stored()
    changed = {label for label in before if before[label] != after[label]}
    assert changed == {"telemetry.ErasureRequest", "tenants.AuditEntry"}


def test_the_id_itself_is_in_no_table_from_the_first_moment(
    as_owner: Callable[[], AbstractContextManager[None]],
) -> None:
    prepare()
    shop = make_shop("acme")

    enter(shop.tenant)

    with as_owner():
        assert PERSON not in texts()


def test_another_tenants_person_of_the_same_id_stays() -> None:
    prepare()
    acme, globex = make_shop("acme"), make_shop("globex")
    ingest(acme, about())
    ingest(globex, about())

    [request] = enter(acme.tenant)
    confirm(request)
    finish(request)

    with tenant_context(ALL):
        assert [event.tenant_id for event in StoredEvent.objects.all()] == [globex.tenant_id]


def test_events_past_their_day_that_wait_for_the_purge_are_erased_too() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    with tenant_context(ALL):
        StoredEvent.with_expired.update(expires_at=timezone.now() - timedelta(hours=1))

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    assert (_by_place(request.found), stored()) == ({"store": 1}, 0)


def test_a_sampled_event_that_carries_the_id_in_a_shown_value_goes(settings: Settings) -> None:
    settings.STUDIO_SAMPLE_HOURS = 24
    prepare()
    shop = make_shop("acme")
    sampling._next_at.clear()
    ingest(shop, about("somebody else", properties={"orderId": "o-1", "note": PERSON}))

    [request] = enter(shop.tenant)
    assert _by_place(request.found) == {"samples": 1, "store": 1}
    confirm(request)
    finish(request)

    with tenant_context(ALL):
        assert SampledEvent.objects.count() == 0


def test_no_provider_is_owed_what_was_erased() -> None:
    prepare()
    shop = make_shop("acme")
    make_provider(shop)
    ingest(shop, about(), about("somebody else"))
    ingest(shop, about())

    [request] = enter(shop.tenant)
    assert _by_place(request.found) == {"outbox": 2, "store": 2}
    confirm(request)
    finish(request)

    with tenant_context(ALL):
        [delivery] = DeliveryRecord.objects.all()
        kept = list(StoredEvent.objects.values_list("id", flat=True))
    assert (delivery.event_ids, delivery.count) == (kept, 1)


def test_later_events_of_the_person_are_switched_off_under_this_key_and_the_next() -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant)
    confirm(request)

    first = ingest(shop, about(), about("somebody else"), about(None, context={"session_id": PERSON}))
    renew(shop.tenant)
    second = ingest(shop, about(), about(properties={}), about(None, properties={"orderId": "o", "customer": PERSON}))

    assert [item.outcome.value for item in first.items] == ["disabled", "stored", "disabled"]
    assert [item.outcome.value for item in second.items] == ["disabled", "disabled", "disabled"]
    with tenant_context(ALL):
        assert (StoredEvent.objects.count(), HeldEvent.objects.count()) == (1, 0)


def test_events_of_the_person_are_taken_in_again_after_the_end_of_the_mark() -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant, ends_at=timezone.now() + timedelta(days=1))
    confirm(request)

    before = ingest(shop, about())
    after = ingest(shop, about(), received_at=datetime.now(UTC) + timedelta(days=2))

    assert (before.items[0].outcome, after.items[0].outcome) == (EventOutcome.DISABLED, EventOutcome.STORED)


def test_what_came_between_count_and_confirmation_is_erased_as_well() -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant)
    ingest(shop, about())

    confirm(request)
    finish(request)

    assert (_by_place(request.found), _by_place(request.erased), stored()) == ({}, {"store": 1}, 0)


def test_nothing_is_erased_before_every_process_knows_of_the_mark() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    [request] = enter(shop.tenant)
    confirm(request)

    pause = work_on(request.pk)

    assert pause is not None
    assert 0 < pause <= 3
    assert stored() == 1


def test_a_hold_is_told_with_the_count_and_keeps_a_person_from_confirming() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=shop.tenant, reason="Case 12", subject=PERSON)

    [request] = enter(shop.tenant)

    assert request.state == ErasureState.READY
    assert request.held_by.startswith(f"legal hold {hold.pk} (placed ")
    with pytest.raises(Conflict, match=f"legal hold {hold.pk} .* keep events of this person"):
        confirm(request)
    assert stored() == 1


def test_a_hold_that_comes_later_stops_the_job_until_it_is_lifted() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    [request] = enter(shop.tenant)
    confirm(request)
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=shop.tenant, reason="Case 12", event_name="shop.order")

    finish(request)
    assert (request.state, stored()) == (ErasureState.HELD, 1)
    assert request.held_by.startswith(f"legal hold {hold.pk} ")

    with tenant_context(ALL):
        lift_hold(actor=SYSTEM, hold=hold, because="Settled")
    finish(request, after=timedelta(minutes=10))
    assert (request.state, request.held_by, stored()) == (ErasureState.DONE, "", 0)


def test_a_hold_on_something_else_is_in_nobodys_way() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    with tenant_context(ALL):
        place_hold(actor=SYSTEM, tenant=shop.tenant, reason="Case 12", subject="somebody else")

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    assert (request.state, stored()) == (ErasureState.DONE, 0)


def test_a_worker_that_dies_at_any_point_leaves_a_step_to_be_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, *(about() for _ in range(5)))
    ingest(shop, about(properties={}))
    [request] = enter(shop.tenant)
    confirm(request)

    def die_after(*args: object) -> int:
        erase_events(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(places, "erase_events", die_after)
        with pytest.raises(KeyboardInterrupt):
            finish(request)
    assert stored() == 5

    finish(request)
    assert (_by_place(request.erased), request.state) == ({"store": 5, "quarantine": 1}, ErasureState.DONE)
    with tenant_context(ALL):
        assert sum(EventRemoval.objects.values_list("erased", flat=True)) == 5


def test_steps_of_no_time_come_to_the_same_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "STEP_SECONDS", 0.0)
    monkeypatch.setattr("telemetry.stores.subjects.SLICE_ROWS", 1)
    monkeypatch.setattr("telemetry.stores.subjects.ROW_BYTES", 4_000)
    monkeypatch.setattr(places, "HELD_PORTION", 1)
    prepare()
    shop = make_shop("acme")
    ingest(shop, *(about() for _ in range(5)), about("somebody else"))
    ingest(shop, about(properties={}), about(properties={}), about("somebody else", properties={}))

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    assert _by_place(request.found) == _by_place(request.erased) == {"store": 5, "quarantine": 2}
    with tenant_context(ALL):
        assert (stored(), HeldEvent.objects.count()) == (1, 1)


def test_a_request_that_is_done_is_nobodys_work_any_more() -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)
    before = everything_stored()

    again = work_on(request.pk, now=timezone.now() + timedelta(days=1))

    assert again is None
    assert due_requests(timezone.now() + timedelta(days=1)) == []
    assert everything_stored() == before


def test_the_receipt_names_the_person_by_a_salted_hash_alone() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    with tenant_context(ALL):
        [receipt] = Receipt.objects.all()
    assert (receipt.kind, receipt.facts["erased"], receipt.facts["left"]) == (
        "erasure",
        {**_NOTHING, "store": 1, "tallies": 1},
        _NOTHING,
    )
    assert receipt.facts["subject"] == digest_of(request.salt, pseudonyms_of(shop.tenant))
    assert not _names(json.dumps(receipt.facts), [PERSON, *request.pseudonyms])


def test_what_is_audited_names_nobody() -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    with tenant_context(ALL):
        entries = list(AuditEntry.objects.filter(action__startswith="erasure.").order_by("id"))
    assert [entry.action for entry in entries] == ["erasure.requested", "erasure.confirmed", "erasure.finished"]
    assert not any(_names(json.dumps(entry.details), [PERSON, *request.pseudonyms]) for entry in entries)


def test_a_request_that_is_let_go_forgets_the_person_and_cannot_be_confirmed() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    [request] = enter(shop.tenant)

    with tenant_context(ALL):
        cancelled = cancel_erasure(actor=SYSTEM, request=request)

    assert (cancelled.state, cancelled.pseudonyms) == (ErasureState.CANCELLED, [])
    with pytest.raises(Conflict, match="is cancelled"):
        confirm(request)
    assert stored() == 1


def test_a_live_stream_that_is_away_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant)
    confirm(request)
    with monkeypatch.context() as patch:
        patch.setattr(live_stream()._client, "pipeline", _away)
        finish(request)
        assert request.state == ErasureState.ERASING
        assert request.trouble == "the live stream does not answer"

    finish(request, after=timedelta(minutes=1))
    assert (request.state, request.trouble) == (ErasureState.DONE, "")


def _away(**_: object) -> None:
    raise ConnectionError


def _by_place(rows: list[list[object]]) -> dict[str, int]:
    """Without sketches, of which ``test_tallies`` knows more."""
    counts: Counter[str] = Counter()
    for place, _, _, count in rows:
        if place != "tallies":
            counts[str(place)] += int(str(count))
    return dict(counts)


def _names(text: str, names: list[str]) -> bool:
    return any(name in text for name in names)
