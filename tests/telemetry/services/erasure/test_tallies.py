"""Sketches of unique subjects forget a person who is erased, and count the others as before."""

from datetime import timedelta

import pytest
from django.utils import timezone

from telemetry.models import EventTally
from telemetry.services.erasure import tallies
from telemetry.services.tallies import merge_tallies
from telemetry.tallies.detail import decode_detail
from telemetry.tallies.sketches import count_subjects, coupons_of, without_subjects
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.services.tenants import renew_pseudonym_key
from tests.telemetry.factories import everything_stored, ingest
from tests.telemetry.services.erasure.person import (
    about,
    confirm,
    enter,
    finish,
    make_shop,
    prepare,
    pseudonyms_of,
)

pytestmark = pytest.mark.django_db


def sketches() -> list[bytes]:
    with tenant_context(ALL):
        rows = EventTally.objects.filter(detail__isnull=False).order_by("received_minute", "id")
        return [decode_detail(bytes(row.detail or b"")).subjects for row in rows]


def known_in(shop: Installation, sketch: bytes) -> bool:
    return without_subjects(sketch, coupons_of(pseudonyms_of(shop.tenant))) != sketch


@pytest.fixture
def shop() -> Installation:
    """Three batches with the person, under two keys and one without."""
    prepare()
    found = make_shop("acme")
    ingest(found, about(), about("a second"), about("a third"))
    ingest(found, about(), about("a second"))
    ingest(found, about("a second"))
    with tenant_context(ALL):
        renew_pseudonym_key(actor=SYSTEM, tenant=found.tenant)
    ingest(found, about(), about("a fourth"))
    return found


def test_a_person_is_taken_out_of_each_sketch_and_the_others_still_count(shop: Installation) -> None:
    assert [known_in(shop, each) for each in sketches()] == [True, True, False, True]
    assert [count_subjects(each) for each in sketches()] == [3, 2, 1, 2]

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    assert [known_in(shop, each) for each in sketches()] == [False] * 4
    assert [count_subjects(each) for each in sketches()] == [2, 1, 1, 1]
    assert [count for place, _, _, count in request.erased if place == "tallies"] == [3]
    assert request.left == []


def test_tallies_of_other_tenants_and_all_counts_stay_as_they_are(shop: Installation) -> None:
    other = make_shop("globex")
    ingest(other, about())
    before = _counts()

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    assert _counts() == before
    assert known_in(other, sketches()[-1])


def test_a_person_is_found_in_merged_tallies_and_in_small_steps(
    shop: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "WINDOW", timedelta(hours=1))
    monkeypatch.setattr("telemetry.services.erasure.working.STEP_SECONDS", 0.0)
    merge_tallies(now=timezone.now() + timedelta(hours=1))

    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    assert not any(known_in(shop, each) for each in sketches())


def test_counting_leaves_the_sketches_alone(shop: Installation) -> None:
    before = everything_stored()["telemetry.EventTally"]

    [request] = enter(shop.tenant)

    assert [count for place, _, _, count in request.found if place == "tallies"] == [3]
    assert everything_stored()["telemetry.EventTally"] == before


def test_a_request_by_the_id_of_nobody_who_was_there_changes_no_sketch(shop: Installation) -> None:
    before = sketches()

    [request] = enter(shop.tenant, subjects=("nobody-1",))
    confirm(request)
    finish(request)

    assert sketches() == before


def _counts() -> list[tuple[int, int]]:
    with tenant_context(ALL):
        return list(EventTally.objects.order_by("id").values_list("received", "stored"))
