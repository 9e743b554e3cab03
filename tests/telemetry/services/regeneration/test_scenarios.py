"""Each rule from raw events to a published change and its measured effect."""

from datetime import timedelta
from typing import Any

import pytest

from telemetry.core.enums import AnomalyMethod, RedactionStrategy, Statistic
from telemetry.core.spec import AnomalyDetection, AnomalyRule, Retention, Sampling, Threshold
from telemetry.detection.inspector import Inspector
from telemetry.models import PromiseState, Proposal, ProposalStatus, RegenerationRequest
from telemetry.selectors.reviews import live_review
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.live import stored_lines
from telemetry.services.publishing import publish_version
from telemetry.services.regeneration.running import take_requests
from telemetry.services.reviews import approve
from telemetry.services.tallies import merge_tallies
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.regeneration.worlds import (
    LAG,
    NOON,
    WIDTH,
    accept,
    draft,
    judge,
    measure_after,
    only_proposal,
    published_event,
    run,
    send,
    sigil_with,
    start,
)
from tests.tenants.factories import make_actor

pytestmark = pytest.mark.django_db

SLOW: list[dict[str, Any]] = [{"durationMs": 2000 + 10 * number} for number in range(10)]


@pytest.fixture(autouse=True)
def fresh_inspector(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was looked at before in this minute."""
    monkeypatch.setattr("telemetry.services.privacy_findings._inspector", Inspector())


def test_an_outgrown_threshold_moves_and_its_alarms_end() -> None:
    # Given steps that take two seconds for an hour, where 1.5 are allowed; the rule asks for a proposal.
    make_published()
    installation = make_installation()
    start(installation)
    now = judge(installation, NOON, [SLOW] * 12)
    with tenant_context(ALL):
        assert RegenerationRequest.objects.filter(taken_at=None).count() == 1

    # When the request is taken up, and the proposal is accepted.
    assert take_requests(now=now) == 1
    proposal = only_proposal("threshold_outgrown")
    assert (proposal.status, proposal.installation) == (ProposalStatus.PENDING, None)
    applied = accept(proposal)

    # Then the new bound is live, and the promise holds.
    assert (applied.status, applied.applied_version, applied.outcome) == ("applied", 2, "waiting")
    assert published_event(installation).anomaly_detection.thresholds == (Threshold(metric="durationMs", max=2300.0),)
    later = judge(installation, NOON + 12 * WIDTH, [SLOW] * 4)
    measured = measure_after(proposal, NOON + 12 * WIDTH, later)
    assert (measured.outcome, measured.measured_value, measured.measured_sample) == (PromiseState.KEPT, 0.0, 4)


def test_a_promise_that_does_not_hold_is_called_broken() -> None:
    make_published()
    installation = make_installation()
    start(installation)
    now = judge(installation, NOON, [SLOW] * 12)
    take_requests(now=now)
    proposal = only_proposal("threshold_outgrown")
    accept(proposal)

    slower = [{"durationMs": 9000}] * 10
    later = judge(installation, NOON + 12 * WIDTH, [slower] * 4)
    measured = measure_after(proposal, NOON + 12 * WIDTH, later)

    assert (measured.outcome, measured.measured_value) == (PromiseState.BROKEN, 1.0)


def test_a_metric_with_a_rhythm_gets_a_baseline() -> None:
    # Given four days on which many come by day and few by night, and a rule with fixed bounds.
    rule = AnomalyRule(name="busy", statistic=Statistic.COUNT, max=6.0, window_minutes=60)
    make_published(sigil_with(anomaly_detection=AnomalyDetection(rules=(rule,))))
    installation = make_installation()
    start(installation)
    hours = [NOON + timedelta(hours=number) for number in range(96)]
    for hour in hours:
        send(installation, hour, *[{}] * (8 if 8 <= hour.hour < 18 else 1))
    now = hours[-1] + timedelta(hours=1) + LAG
    evaluate_due(now=now)

    run(now)
    proposal = only_proposal("seasonal_on_fixed_bounds")
    accept(proposal)

    [learned] = published_event(installation).anomaly_detection.rules
    assert (learned.method, learned.max) == (AnomalyMethod.SEASONAL, None)
    for number in range(6):
        send(installation, hours[-1] + timedelta(hours=1 + number), *[{}] * 8)
    later = hours[-1] + timedelta(hours=8)
    evaluate_due(now=later)
    measured = measure_after(proposal, hours[-1] + timedelta(hours=1), later)
    assert measured.outcome == PromiseState.KEPT
    with tenant_context(ALL):
        assert not Proposal.objects.filter(rule="threshold_outgrown").exists()


def test_a_property_that_is_sent_undeclared_is_declared_and_kept() -> None:
    make_published()
    installation = make_installation()
    send(installation, NOON, *[{"attempt": 2}] * 30, *[{}] * 30)

    run()
    proposal = only_proposal("undeclared_property_steady")
    applied = accept(proposal)

    assert published_event(installation).properties["attempt"].type == "number"
    send(installation, NOON + WIDTH, *[{"attempt": 3}] * 30)
    measured = measure_after(applied, NOON, NOON + 2 * WIDTH)
    assert (measured.outcome, measured.measured_value, measured.measured_sample) == (PromiseState.KEPT, 0.0, 30)


def test_an_undeclared_property_with_addresses_is_declared_hidden() -> None:
    make_published()
    installation = make_installation()
    send(installation, NOON, *[{"contact": f"person{number}@example.com"} for number in range(30)])

    run()
    accept(only_proposal("undeclared_property_steady"))

    contact = published_event(installation).properties["contact"]
    assert contact.redaction.strategy is RedactionStrategy.MASK


def test_a_property_that_reads_like_personal_data_is_hidden_after_a_review_by_somebody_else() -> None:
    # Given addresses in a text that nobody flagged.
    make_published()
    installation = make_installation()
    send(installation, NOON, *[{"step": f"mail to person{number}@example.com"} for number in range(20)])
    run()
    proposal = only_proposal("personal_property_unflagged")

    # When an analyst takes it up, an officer approves it, and a publisher publishes.
    accepted = accept(proposal, make_actor(Role.ANALYST), publish=False)
    record = draft()
    with tenant_context(ALL):
        review = live_review(record)
        assert review is not None
        approve(actor=make_actor(Role.PRIVACY_OFFICER), review_id=review.pk)
        publish_version(
            actor=make_actor(Role.PUBLISHER),
            name=record.name,
            expected_revision=record.draft_revision,
            change_summary="As proposed",
        )

    # Then it is hidden, and no detector finds it any more.
    assert accepted.status == ProposalStatus.ACCEPTED
    assert published_event(installation).properties["step"].redaction.strategy is RedactionStrategy.MASK
    send(installation, NOON + WIDTH, *[{"step": f"mail to person{number}@example.com"} for number in range(20)])
    measured = measure_after(proposal, NOON, NOON + 2 * WIDTH)
    assert (measured.outcome, measured.measured_value, measured.measured_sample) == (PromiseState.KEPT, 0.0, 20)


def test_a_required_property_that_apps_leave_out_becomes_optional() -> None:
    make_published()
    installation = make_installation()
    send(installation, NOON, *[{"step": None}] * 25, app_version="2.4.0")
    send(installation, NOON, *[{"step": None}] * 25, *[{}] * 50, app_version="2.4.1")

    run()
    proposal = only_proposal("required_property_missing")
    applied = accept(proposal)

    assert proposal.title == "Make step optional"
    assert published_event(installation).properties["step"].required is False
    send(installation, NOON + WIDTH, *[{"step": None}] * 30)
    measured = measure_after(applied, NOON, NOON + 2 * WIDTH)
    assert (measured.outcome, measured.measured_value) == (PromiseState.KEPT, 0.0)


def test_where_one_version_of_the_app_leaves_it_out_the_proposal_says_to_mend_it() -> None:
    make_published()
    installation = make_installation()
    send(installation, NOON, *[{"step": None}] * 25, app_version="2.4.1")
    send(installation, NOON, *[{}] * 50, app_version="2.4.0")

    run()

    proposal = only_proposal("required_property_missing")
    assert proposal.title == "Mend version 2.4.1, or make step optional"
    assert proposal.confidence == "low"


def test_a_flood_is_sampled_and_keeps_as_much_as_was_said() -> None:
    # Given a day of forty thousand events.
    make_published()
    installation = make_installation()
    for _ in range(10):
        send(installation, NOON, *[{}] * 4_000)

    run(NOON + WIDTH)
    proposal = only_proposal("volume_high")
    applied = accept(proposal)

    assert published_event(installation).sampling.rate == 0.5
    send(installation, NOON + WIDTH, *[{}] * 400)
    measured = measure_after(applied, NOON, NOON + 2 * WIDTH)
    assert measured.outcome == PromiseState.KEPT
    assert measured.measured_value is not None
    assert 0.4 < measured.measured_value < 0.6


def test_an_event_that_nobody_sends_is_deprecated() -> None:
    make_published()
    installation = make_installation()
    later = NOON + timedelta(days=40)

    run(later)
    proposal = only_proposal("unused")
    applied = accept(proposal)

    assert published_event(installation) is not None
    assert "Nobody has sent it for 35 days." in draft_event_reason()
    assert measure_after(applied, later, later + timedelta(days=3)).outcome == PromiseState.WAITING
    assert measure_after(applied, later, later + timedelta(days=8)).outcome == PromiseState.KEPT


def draft_event_reason() -> str:
    with tenant_context(ALL):
        return str(draft().events.get().deprecation_reason)


def test_an_event_that_comes_and_is_never_read_is_deprecated_until_somebody_reads_it() -> None:
    make_published(sigil_with(anomaly_detection=None))
    installation = make_installation()
    send(installation, NOON, {})
    while merge_tallies(now=NOON + timedelta(days=1)):
        pass

    run(NOON + timedelta(days=34))

    assert only_proposal("unused").summary == "Nobody has read it for 35 days."


def test_an_event_that_somebody_reads_stays() -> None:
    make_published(sigil_with(anomaly_detection=None))
    installation = make_installation()
    send(installation, NOON, {})
    while merge_tallies(now=NOON + timedelta(days=1)):
        pass
    with tenant_context(ALL):
        stored_lines(installation, now=NOON + timedelta(hours=1), limit=50)

    assert run(NOON + timedelta(days=34)) == []


def test_a_property_that_never_comes_says_so() -> None:
    make_published()
    installation = make_installation()
    send(installation, NOON, *[{"durationMs": 5}] * 120)

    run(NOON + WIDTH)
    proposal = only_proposal("unused")
    applied = accept(proposal)

    assert proposal.subject == "userId"
    send(installation, NOON + WIDTH, *[{}] * 30)
    assert measure_after(applied, NOON, NOON + 2 * WIDTH).outcome == PromiseState.KEPT


def test_events_that_nobody_reads_back_are_kept_for_less() -> None:
    make_published(sigil_with(retention=Retention(days=365)))
    installation = make_installation()
    send(installation, NOON, *[{}] * 5)
    # Given that somebody looks at them for some hours, and never again.
    with tenant_context(ALL):
        for number in range(6):
            stored_lines(installation, now=NOON + timedelta(hours=number), limit=50)

    run(NOON + timedelta(days=8))
    proposal = only_proposal("retention_above_use")
    applied = accept(proposal)

    assert published_event(installation).retention.days == 7
    send(installation, NOON + WIDTH, *[{}] * 5)
    measured = measure_after(applied, NOON + WIDTH, NOON + 2 * WIDTH)
    assert (measured.outcome, measured.measured_value) == (PromiseState.KEPT, 7.0)


def test_a_rate_that_keeps_too_few_to_judge_is_raised() -> None:
    detection = AnomalyDetection(minimum_sample=20, thresholds=(Threshold(metric="durationMs", max=1500.0),))
    make_published(sigil_with(anomaly_detection=detection, sampling=Sampling(rate=0.1)))
    installation = make_installation()
    start(installation)
    now = judge(installation, NOON, [[{}] * 40] * 12)

    run(now)
    proposal = only_proposal("sampling_below_minimum_sample")
    applied = accept(proposal)

    assert published_event(installation).sampling.rate == 0.65
    later = judge(installation, NOON + 12 * WIDTH, [[{}] * 40] * 5)
    measured = measure_after(applied, NOON + 12 * WIDTH - timedelta(minutes=1), later)
    assert measured.outcome == PromiseState.KEPT
    assert measured.measured_sample == 5


def test_a_condition_that_never_held_goes_and_as_much_is_kept_as_before() -> None:
    sampling = Sampling(rate=0.25, conditions=("properties.step == 'never'",))
    make_published(sigil_with(sampling=sampling))
    installation = make_installation()
    send(installation, NOON, *[{}] * 120)

    run(NOON + WIDTH)
    proposal = only_proposal("condition_without_use")
    applied = accept(proposal)

    assert published_event(installation).sampling.conditions == ()
    send(installation, NOON + WIDTH, *[{}] * 60)
    measured = measure_after(applied, NOON, NOON + 2 * WIDTH)
    assert (measured.outcome, measured.measured_value) == (PromiseState.KEPT, 1.0)


def test_a_condition_that_always_held_goes_and_the_rate_stays() -> None:
    make_published(sigil_with(sampling=Sampling(rate=0.5, conditions=("properties.step != 'never'",))))
    installation = make_installation()
    send(installation, NOON, *[{}] * 200)

    run(NOON + WIDTH)
    accept(only_proposal("condition_without_use"))

    sampling = published_event(installation).sampling
    assert (sampling.rate, sampling.conditions) == (0.5, ())


def test_a_condition_that_lint_knows_always_holds_needs_no_events() -> None:
    conditions = ("properties.step == 'a' || properties.step != 'a'",)
    make_published(sigil_with(sampling=Sampling(rate=0.5, conditions=conditions)))

    run()

    assert only_proposal("condition_without_use").confidence == "high"


def a_tenant_alone(installation: Installation) -> None:
    """Both send; at the second one nothing is slow."""
    other = make_installation("globex")
    start(other)
    judge(other, NOON, [[{"durationMs": 100}] * 10] * 12)
    start(installation)


def test_what_is_outgrown_at_one_tenant_alone_changes_that_tenant_alone() -> None:
    make_published()
    installation = make_installation()
    a_tenant_alone(installation)
    now = judge(installation, NOON, [SLOW] * 12)

    take_requests(now=now)
    proposal = only_proposal("threshold_outgrown")
    applied = accept(proposal)

    assert proposal.tenant_id == installation.tenant_id
    assert proposal.installation_id == installation.pk
    assert (applied.status, applied.applied_version) == ("applied", 1)
    assert published_event(installation).anomaly_detection.thresholds[0].max == 2300.0
    with tenant_context(ALL):
        other = Installation.objects.select_related("tenant", "app").exclude(pk=installation.pk).get()
    assert published_event(other).anomaly_detection.thresholds[0].max == 1500.0
