"""The pages of anomaly rules: listed in words, tried on what came in, saved in the draft."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.core.spec import AnomalyRule
from telemetry.mappers import event_from_record
from telemetry.models import EventRecord, Incident
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import assert_denied, errors_in, roles_without, text_of, visitor
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import rule, send, watching

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture
def installation() -> Installation:
    make_published(watching(rule(max=2.0)))
    return make_installation()


def record() -> EventRecord:
    with tenant_context(ALL):
        return EventRecord.objects.select_related("spec").get()


def rules() -> tuple[AnomalyRule, ...]:
    with tenant_context(ALL):
        detection = event_from_record(EventRecord.objects.get()).anomaly_detection
    return () if detection is None else detection.rules


def address(rest: str = "") -> str:
    return f"/studio/events/{record().pk}/anomaly-rules/{rest}"


def entries(installation: Installation, **fields: str) -> dict[str, str]:
    return {
        "name": "busy",
        "statistic": "count",
        "method": "limits",
        "max": "2",
        "installation": str(installation.public_id),
        "expected_revision": str(record().spec.draft_revision),
        **fields,
    }


def test_the_rules_are_listed_in_words(installation: Installation) -> None:
    text = text_of(visitor(Role.VIEWER).get(address()))

    assert "1 rule" in text
    assert "the number of events is above 2" in text


def test_an_event_without_rules_says_what_they_are_for() -> None:
    make_published(watching())

    assert "No rule yet" in text_of(visitor(Role.VIEWER).get(address()))


def test_a_rule_is_tried_and_nothing_is_saved(installation: Installation) -> None:
    for minutes, count in ((20, 1), (10, 3)):
        send(installation, NOW - timedelta(minutes=minutes), [1.0] * count)

    answer = visitor(Role.ANALYST).post(address("new/"), entries(installation, **{"try": "1"}))

    html = answer.content.decode()
    assert "Would have fired 1 time in the last 30 days" in html
    assert "3 is above the maximum of 2" in html
    assert 'class="metric__breach"' in html
    assert [each.name for each in rules()] == ["watched"]
    with tenant_context(ALL):
        assert Incident.objects.count() == 0


def test_a_rule_that_can_never_fire_is_warned_of(installation: Installation) -> None:
    send(installation, NOW - timedelta(minutes=10), [1.0] * 3)
    tried = entries(installation, statistic="mean", metric="durationMs", minimum_sample="50", **{"try": "1"})

    text = text_of(visitor(Role.ANALYST).post(address("new/"), tried))

    assert "It can never fire: no window had the 50 events that it takes" in text


def test_a_new_rule_is_saved_behind_the_others(installation: Installation) -> None:
    shares = entries(
        installation, name="quiet", method="silence", max="", window_minutes="15", actions="alert", save="1"
    )

    answer = visitor(Role.ANALYST).client.post(address("new/"), shares, follow=True)

    assert "The rule is in the draft." in text_of(answer)
    assert [each.name for each in rules()] == ["watched", "quiet"]
    assert rules()[1].window_minutes == 15


def test_a_rule_is_changed_in_its_place_and_removed(installation: Installation) -> None:
    analyst = visitor(Role.ANALYST)
    shown = analyst.get(address("watched/")).content.decode()
    assert 'value="2.0"' in shown

    analyst.post(address("watched/"), entries(installation, name="crowded", max="7", save="1"))
    assert [(each.name, each.max) for each in rules()] == [("crowded", 7.0)]

    analyst.post(address("crowded/remove/"))
    assert rules() == ()


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"max": ""}, "__all__", "Must have min, max or both"),
        ({"name": "Bad Name"}, "name", "Must be lower-case letters"),
        ({"statistic": "mean"}, "metric", "Is required for statistics of a property"),
        ({"statistic": "mean", "metric": "step"}, "metric", "Must be a property of type number"),
        ({"min": "9"}, "min", "Must not be more than max"),
        ({"name": "watched"}, "name", "Is the name of rules[0]"),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    installation: Installation, fields: dict[str, str], field: str, message: str
) -> None:
    answer = visitor(Role.ANALYST).post(address("new/"), entries(installation, save="1", **fields))

    assert message in " ".join(errors_in(answer)[field])
    assert [each.name for each in rules()] == ["watched"]


def test_a_draft_that_somebody_else_changed_is_not_overwritten(installation: Installation) -> None:
    stale = entries(installation, save="1", expected_revision="0")

    answer = visitor(Role.ANALYST).post(address("new/"), stale)

    assert "Somebody else saved this" in text_of(answer)
    assert [each.name for each in rules()] == ["watched"]


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_specs_may_not_edit_rules(installation: Installation, role: Role) -> None:
    person, sent, target = visitor(role), entries(installation, save="1"), address("new/")

    assert_denied("spec.edit", lambda: person.post(target, sent))
