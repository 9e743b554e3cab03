"""What tallies hold of a batch: counts, and sketches of what was in its events."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from telemetry.core.anomaly.rules import WindowSummary
from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Context
from telemetry.selectors.metric_windows import EventKey, window_summaries
from telemetry.tallies.summary import TallySummary
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published, tallied

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)
THIS = NOW.replace(second=0, microsecond=0)


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def step(duration: float | None = 100, **fields: Any) -> Any:
    properties = {"workflow": "deploy", "step": "build"}
    return make_incoming(properties=properties | ({} if duration is None else {"durationMs": duration}), **fields)


def windows(installation: Installation, since: datetime, until: datetime, minutes: int) -> dict[datetime, TallySummary]:
    with tenant_context(ALL):
        return window_summaries(installation.pk, EventKey(STEP, 1), since, until, minutes=minutes, with_details=True)


def test_an_event_counts_in_the_minute_in_which_it_happened(installation: Installation) -> None:
    for minutes in (3, 2, 1):
        ingest(installation, step(occurred_at=THIS - minutes * MINUTE), received_at=NOW)

    found = windows(installation, THIS - 2 * MINUTE, THIS - MINUTE, 1)

    assert {start: each.received for start, each in found.items()} == {THIS - 2 * MINUTE: 1}


def test_shuffled_events_make_the_windows_of_sorted_ones(installation: Installation) -> None:
    other = make_installation("globex")
    moments = list(enumerate(THIS - minutes * MINUTE for minutes in range(2_880, 0, -97)))
    for place, moment in moments:
        ingest(installation, step(place, occurred_at=moment), received_at=NOW)
    for place, moment in Random(6).sample(moments, len(moments)):  # noqa: S311 - an order, no secret
        ingest(other, step(place, occurred_at=moment), received_at=NOW)

    first, second = (
        {
            start: (each.received, None if (number := each.number("durationMs")) is None else number.total)
            for start, each in windows(one, THIS - 2_881 * MINUTE, THIS, 240).items()
        }
        for one in (installation, other)
    )

    assert first == second
    assert sum(received for received, _ in first.values()) == len(moments)


def test_numbers_values_and_people_are_tallied(installation: Installation) -> None:
    people = [Context(user_id=f"user {place % 3}") for place in range(12)]
    events = [step(1_000 + 100 * place, context=context) for place, context in enumerate(people)]
    ingest(installation, *events, step(None), make_incoming(properties={}))

    found = tallied(installation)

    number = found.number("durationMs")
    assert number is not None
    assert (number.count, number.total, number.minimum, number.maximum) == (12, 18_600, 1_000, 2_100)
    assert number.quantile(1.0) == 2_100
    assert (found.received, found.valid, found.rejected, found.violating) == (14, 13, 1, 1)
    assert found.missing["durationMs"] == 1
    assert found.unique_subjects() == 3


def test_a_tally_is_what_rules_judge(installation: Installation) -> None:
    ingest(installation, step())

    found: WindowSummary = tallied(installation)

    assert found.received == 1


def test_a_repeated_event_is_not_in_the_sketches_again(installation: Installation) -> None:
    again = step(700)
    ingest(installation, again, again)
    ingest(installation, again)

    number = tallied(installation).number("durationMs")

    assert number is not None
    assert (number.count, number.total) == (1, 700)


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

    assert tallied(installation, "step").values == {"ok": {"true": 2, "false": 1}, "plan": {"free": 1, "pro": 2}}


def test_numbers_that_are_hidden_are_coarse_and_at_level_sensitive_withheld() -> None:
    score = {"score": make_property("number")}
    in_ranges = make_redaction("generalise", bucket=10_000)
    make_published(
        make_spec(
            make_event("hidden", properties={"score": make_property("number", pii=True)}),
            make_event("in_ranges", properties={"score": make_property("number", redaction=in_ranges)}),
            make_event("sensitive", privacy=PrivacyLevel.SENSITIVE, properties=score),
            make_event("open", properties=score),
        )
    )
    installation = make_installation()
    for name in ("hidden", "in_ranges", "sensitive", "open"):
        ingest(
            installation,
            make_incoming(name=name, properties={"score": 54_321.5}, context=Context(user_id="alice")),
        )

    found = {name: tallied(installation, name) for name in ("hidden", "in_ranges", "sensitive", "open")}

    maxima = {
        name: None if (number := each.number("score")) is None else number.maximum for name, each in found.items()
    }
    assert maxima == {"hidden": 54_000, "in_ranges": 50_000, "sensitive": None, "open": 54_321.5}
    assert found["sensitive"].counted("score") == 1
    assert [each.unique_subjects() for each in found.values()] == [1, 1, 0, 1]


def test_events_that_are_too_old_to_judge_count_when_they_came(installation: Installation) -> None:
    ingest(installation, step(occurred_at=NOW - timedelta(days=300)), received_at=NOW)

    assert windows(installation, THIS, THIS + MINUTE, 1)[THIS].received == 1


def test_the_seeds_thresholds_are_counted_exactly(installation: Installation) -> None:
    ingest(installation, *(step(1_500 + place) for place in range(10)))

    assert tallied(installation).above("durationMs", 1500.0) == 9


def test_names_that_clients_make_up_share_one_row(installation: Installation) -> None:
    ingest(installation, *(make_incoming(name=f"made_up_{place}") for place in range(50)))

    assert tallied(installation, "", 0).received == 50
