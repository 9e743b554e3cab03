"""Reading tallies: windows by when events happened, volumes by the day."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.core.anomaly.rules import WindowSummary
from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Context
from telemetry.selectors.balance import counts_series, volumes_of
from telemetry.selectors.tallies import WindowTally, window_series, window_tally
from telemetry.services.tallies import merge_tallies
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_redaction, make_sigil_spec, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)
THIS = NOW.replace(second=0, microsecond=0)


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def window(installation: Installation, start: datetime = THIS - 60 * MINUTE, *, name: str = STEP) -> WindowTally:
    with tenant_context(ALL):
        return window_tally(installation.pk, name, start, THIS + MINUTE)


def step(duration: float | None = 100, **fields: Any) -> Any:
    properties = {"workflow": "deploy", "step": "build"}
    return make_incoming(properties=properties | ({} if duration is None else {"durationMs": duration}), **fields)


def test_a_window_holds_what_happened_in_it_whenever_it_came(installation: Installation) -> None:
    for minutes in (3, 2, 1):
        ingest(installation, step(occurred_at=THIS - minutes * MINUTE), received_at=NOW)

    with tenant_context(ALL):
        found = window_tally(installation.pk, STEP, THIS - 2 * MINUTE, THIS - MINUTE)

    assert found.received == 1
    assert found.last_received_at == NOW


def test_shuffled_events_make_the_windows_of_sorted_ones(installation: Installation) -> None:
    other = make_installation("globex")
    moments = [THIS - minutes * MINUTE for minutes in range(2_880, 0, -97)]
    for place, moment in enumerate(moments):
        ingest(installation, step(place, occurred_at=moment), received_at=NOW)
    for place, moment in Random(6).sample(list(enumerate(moments)), len(moments)):  # noqa: S311 - an order, no secret
        ingest(other, step(place, occurred_at=moment), received_at=NOW)

    with tenant_context(ALL):
        first, second = (
            [
                (each.counts, None if (number := each.number("durationMs")) is None else number.total)
                for each in window_series(one.pk, STEP, THIS - 2_880 * MINUTE, THIS, timedelta(hours=4))
            ]
            for one in (installation, other)
        )

    assert first == second
    assert sum(counts.received for counts, _ in first) == len(moments)


def test_a_window_tells_of_numbers_values_and_people(installation: Installation) -> None:
    people = [Context(user_id=f"user {place % 3}") for place in range(12)]
    events = [step(1_000 + 100 * place, context=context) for place, context in enumerate(people)]
    ingest(installation, *events, step(None), make_incoming(properties={}))

    found = window(installation)

    number = found.number("durationMs")
    assert number is not None
    assert (number.count, number.total, number.minimum, number.maximum) == (12, 18_600, 1_000, 2_100)
    assert number.beyond(maximum=1500) == 6
    assert number.quantile(1.0) == 2_100
    assert (found.received, found.valid, found.rejected, found.violating) == (14, 13, 1, 1)
    assert found.missing["durationMs"] == 1
    assert found.unique_subjects() == 3


def test_a_window_is_what_rules_judge(installation: Installation) -> None:
    ingest(installation, step())

    found: WindowSummary = window(installation)

    assert found.received == 1


def test_values_of_booleans_and_short_lists_are_counted() -> None:
    event = make_event(
        properties={
            "ok": make_property("boolean"),
            "plan": make_property(allowed_values=("free", "pro")),
            "secret": make_property("boolean", pii=True),
        }
    )
    make_published(make_spec(event))
    installation = make_installation()
    for ok, plan in ((True, "free"), (False, "pro"), (True, "pro")):
        ingest(installation, make_incoming(name="step", properties={"ok": ok, "plan": plan, "secret": ok}))

    found = window(installation, name="step")

    assert found.values == {"ok": {"true": 2, "false": 1}, "plan": {"free": 1, "pro": 2}}


def test_numbers_that_are_hidden_are_coarse_and_at_level_sensitive_withheld() -> None:
    hidden = make_event("hidden", properties={"salary": make_property("number", pii=True)})
    sensitive = make_event("sensitive", privacy=PrivacyLevel.SENSITIVE, properties={"salary": make_property("number")})
    bucketed = make_event(
        "bucketed",
        properties={"salary": make_property("number", redaction=make_redaction("generalise", bucket=10_000))},
    )
    make_published(make_spec(hidden, sensitive, bucketed))
    installation = make_installation()
    for name in ("hidden", "sensitive", "bucketed"):
        properties = {"salary": 54_321.5}
        ingest(installation, make_incoming(name=name, properties=properties, context=Context(user_id="alice")))

    numbers = {name: window(installation, name=name).number("salary") for name in ("hidden", "sensitive", "bucketed")}

    assert numbers["hidden"] is not None
    assert numbers["hidden"].maximum == numbers["hidden"].quantile(0.5) == 54_000
    assert numbers["sensitive"] is not None
    assert (numbers["sensitive"].count, numbers["sensitive"].is_withheld) == (1, True)
    assert (numbers["sensitive"].total, numbers["sensitive"].quantile(0.5)) == (0, None)
    assert numbers["bucketed"] is not None
    assert numbers["bucketed"].maximum == 50_000
    assert window(installation, name="sensitive").unique_subjects() == 0


def test_another_tenants_window_is_empty(installation: Installation) -> None:
    ingest(installation, step())

    with tenant_context([make_installation("globex").tenant_id]):
        found = window_tally(installation.pk, STEP, THIS - 60 * MINUTE, THIS + MINUTE)

    assert (found.received, found.last_received_at, found.number("durationMs")) == (0, None, None)


def test_events_that_are_too_old_to_judge_count_when_they_came(installation: Installation) -> None:
    ingest(installation, step(occurred_at=NOW - timedelta(days=300)), received_at=NOW)

    assert window(installation, THIS).received == 1


def test_one_version_can_be_asked_for(installation: Installation) -> None:
    ingest(installation, step(), step(version=2))

    with tenant_context(ALL):
        versions = [
            window_tally(installation.pk, STEP, THIS - MINUTE, THIS + MINUTE, version=version).received
            for version in (1, 2, None)
        ]

    assert versions == [1, 0, 1]


def test_a_series_costs_one_query(installation: Installation, django_assert_num_queries: Any) -> None:
    ingest(installation, step())

    with tenant_context(ALL), django_assert_num_queries(1):
        series = window_series(installation.pk, STEP, THIS - timedelta(days=30), THIS, timedelta(minutes=5))

    assert len(series) == 8_640


def test_volumes_are_the_same_before_and_after_merging(installation: Installation) -> None:
    yesterday = NOW - timedelta(days=1)
    again = step()
    ingest(installation, step(), again, again, received_at=yesterday)
    ingest(make_installation("globex"), step(), received_at=yesterday)
    ingest(installation, step(), received_at=NOW - 10 * MINUTE)

    def volumes() -> Any:
        with tenant_context(ALL):
            return volumes_of([STEP, "another"], today=NOW.date(), days=3)

    before = volumes()
    merge_tallies()
    ingest(installation, step(), received_at=NOW)
    after = volumes()

    (volume,) = before.values()
    assert list(before) == [(STEP, 1)]
    assert volume.total == 4
    assert after[STEP, 1].total == 5
    assert after[STEP, 1].last_received_at == NOW


def test_volumes_of_many_events_cost_one_query(installation: Installation, django_assert_num_queries: Any) -> None:
    with tenant_context(ALL), django_assert_num_queries(1):
        assert volumes_of([f"event_{place}" for place in range(500)], today=NOW.date(), days=14) == {}


def test_a_series_of_counts_has_every_step(installation: Installation) -> None:
    ingest(installation, step(), received_at=NOW)

    with tenant_context(ALL):
        series = counts_series(installation.pk, THIS - 4 * MINUTE, THIS + MINUTE, MINUTE)

    assert [counts.received for _, counts in series] == [0, 0, 0, 0, 1]
    assert [begin for begin, _ in series] == [THIS + offset * MINUTE for offset in range(-4, 1)]


def test_the_seeds_thresholds_are_counted_exactly(installation: Installation) -> None:
    assert make_sigil_spec().events[0].name == STEP
    ingest(installation, *(step(1_500 + place) for place in range(10)))

    number = window(installation).number("durationMs")

    assert number is not None
    assert number.beyond(maximum=1500) == 9
