"""Drafts from what an installation received."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.core.codec import encode_spec
from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import Sampling, TelemetrySpec
from telemetry.formats.traffic import Doubt
from telemetry.services.traffic_drafts import TrafficDraft, infer_from_traffic
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

CANARY = "alice@example.com"


@pytest.fixture
def shop() -> Installation:
    return shop_with(
        make_event(
            "order",
            properties={
                "id": make_property(required=True),
                "method": make_property(description="How it was paid"),
                "mail": make_property(pii=True, redaction=make_redaction("hash")),
                "note": make_property(redact=True),
                "never": make_property("number"),
                "about": make_property(),
            },
        )
    )


def shop_with(*events: Any) -> Installation:
    make_published(make_spec(*events, name="shop.events"))
    return make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop.events")))


def receive(shop: Installation, count: int, name: str = "order", **properties: Any) -> None:
    for number in range(count):
        given = {key: value(number) if callable(value) else value for key, value in properties.items()}
        ingest(shop, make_incoming(name=name, properties=given))


def draft_of(shop: Installation, **asked: Any) -> TrafficDraft:
    with tenant_context(ALL):
        return infer_from_traffic(shop, name="shop.observed", now=timezone.now(), **asked)


def doubts_of(draft: TrafficDraft) -> set[tuple[str, str]]:
    return {(each.doubt.value, each.path) for each in draft.uncertainties}


def test_what_is_stored_shows_types_required_and_listed_values(shop: Installation) -> None:
    receive(shop, 24, id=lambda n: f"A-{n}", method=lambda n: ("card", "cash")[n % 2], mail=CANARY, note="private")

    draft = draft_of(shop)

    [order] = draft.spec.events
    assert (draft.events_read, draft.spec.meta.name) == (24, "shop.observed")
    assert order.properties["method"] == make_property(
        required=True, allowed_values=("card", "cash"), description="How it was paid"
    )
    assert order.properties["id"] == make_property(required=True)
    assert "never" not in order.properties


def test_of_hidden_values_nothing_is_learnt_and_the_report_says_so(shop: Installation) -> None:
    receive(shop, 24, id="A", mail=CANARY, note="private")

    draft = draft_of(shop)

    [order] = draft.spec.events
    assert order.properties["mail"] == make_property(pii=True, redaction=make_redaction("hash"))
    assert order.properties["note"] == make_property(redact=True)
    assert {("hidden", "events[0].properties.mail"), ("hidden", "events[0].properties.note")} <= doubts_of(draft)
    assert ("not_seen", "events[0]") in doubts_of(draft)
    assert "private" not in repr(draft)
    assert CANARY not in repr(draft)


def test_what_reads_like_personal_data_is_marked_and_its_values_are_not_told(shop: Installation) -> None:
    receive(shop, 24, id="A", about=CANARY)

    draft = draft_of(shop)

    about = draft.spec.events[0].properties["about"]
    assert (about.pii, about.redact, about.allowed_values) == (True, True, ())
    assert draft.suspects == ("order@1: about",)
    assert CANARY not in encode_spec(draft.spec).decode()


def test_what_the_spec_does_not_know_comes_from_outlines_and_is_a_guess(shop: Installation) -> None:
    receive(shop, 3, id="A", coupon="SPRING", userEmail=CANARY)
    receive(shop, 2, "order.cancelled", reason="late", total=3.5, items=[1], express=True)

    draft = draft_of(shop)

    order, cancelled = draft.spec.events
    assert order.properties["coupon"] == make_property()
    assert order.properties["userEmail"] == make_property(pii=True, redact=True)
    assert {name: each.type.value for name, each in cancelled.properties.items()} == {
        "reason": "string",
        "total": "number",
        "items": "json",
        "express": "boolean",
    }
    assert not any(each.required for each in cancelled.properties.values())
    assert draft.suspects == ("order@1: userEmail",)
    assert {
        ("one_outline", "events[0].properties.coupon"),
        ("one_outline", "events[0].properties.userEmail"),
        ("one_outline", "events[1]"),
    } <= doubts_of(draft)
    assert "SPRING" not in repr(draft)
    assert CANARY not in repr(draft)


def test_what_detectors_have_found_in_what_was_left_out_is_marked(shop: Installation) -> None:
    receive(shop, 1, id="A", contact=CANARY)

    draft = draft_of(shop)

    assert draft.spec.events[0].properties["contact"] == make_property(pii=True, redact=True)
    assert draft.suspects == ("order@1: contact",)


def test_names_that_may_be_data_are_left_out_and_told_of(shop: Installation) -> None:
    ingest(shop, make_incoming(name="order", properties={"id": "A", CANARY: 1}))
    receive(shop, 1, CANARY)

    draft = draft_of(shop)

    assert [event.name for event in draft.spec.events] == ["order"]
    assert {("unnamed", ""), ("unnamed", "events[0]")} <= doubts_of(draft)
    assert CANARY not in repr(draft)


def test_few_events_a_share_of_them_and_more_than_were_read_are_told_of() -> None:
    shop = shop_with(make_event("seen", properties={"x": make_property()}, sampling=Sampling(rate=0.9)))
    receive(shop, 40, "seen", x="1")

    draft = draft_of(shop, sample=5)

    assert draft.events_read == 5
    assert doubts_of(draft) == {("few_events", "events[0]"), ("newest_only", "events[0]"), ("sampled", "events[0]")}


def test_versions_of_an_event_stay_apart_and_one_event_can_be_asked_for() -> None:
    nothing = {"x": make_property()}
    kinds = (("a", 1), ("a", 2), ("b", 1))
    shop = shop_with(*[make_event(name, version, properties=nothing) for name, version in kinds])
    for name, version in kinds:
        ingest(shop, make_incoming(name=name, version=version, properties={}))

    assert [(each.name, each.version) for each in draft_of(shop).spec.events] == list(kinds)
    assert [each.name for each in draft_of(shop, event="b").spec.events] == ["b"]


def test_only_what_came_in_these_days_counts(shop: Installation) -> None:
    receive(shop, 1, id="A")

    with tenant_context(ALL), pytest.raises(InvalidDocument, match="nothing came"):
        infer_from_traffic(shop, name="shop.observed", now=timezone.now() - timedelta(days=2), days=1)


def test_anothers_events_are_not_in_it(shop: Installation) -> None:
    other = make_installation("other", blueprint=AppBlueprint(spec=SpecPointer(name="shop.events")))
    receive(other, 1, id="A", coupon="SPRING")

    with pytest.raises(InvalidDocument, match="nothing came"):
        draft_of(shop)


def test_an_installation_without_a_spec_has_only_unknown_events() -> None:
    shop = make_installation("acme", blueprint=AppBlueprint())
    receive(shop, 2, "signed.up", plan="pro")

    draft = draft_of(shop)

    assert isinstance(draft.spec, TelemetrySpec)
    assert json.loads(encode_spec(draft.spec))["events"][0]["properties"] == {"plan": {"type": "string"}}
    assert {each.doubt for each in draft.uncertainties} == {Doubt.ONE_OUTLINE}
