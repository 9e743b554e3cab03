"""What is planned holds from its instant on, whether or not a job has noticed; and the revision says so."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from telemetry.core.config import EffectiveConfig, EventOverride, TenantOverride
from telemetry.selectors.configs import config_layers, config_revision
from telemetry.services.configs import config_document, effective_config
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, ConfigPeriod, Installation, TenantAppConfig
from tenants.selectors import config_versions, planned_periods, published_config
from tenants.services.config_schedules import end_period, schedule_config
from tenants.services.configs import publish_config
from tenants.services.settling import settle_due
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.clock import pass_time
from tests.tenants.factories import accept_any, make_draft_config, make_published_config

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
EXCEPTIONS = "tenants_floorexceptionrecord"
STEP = "sigil.telemetry.workflow_step"


def rate(share: float) -> TenantOverride:
    return TenantOverride(events={STEP: EventOverride(sampling_rate=share)})


def live_rate(installation: Installation) -> float:
    with tenant_context(ALL):
        return effective_config(installation).events[0].sampling.rate


def revision(installation: Installation) -> int:
    with tenant_context(ALL):
        return config_revision(installation.pk)


def plan(
    installation: Installation, share: float, starts_in: timedelta, lasts: timedelta | None = None
) -> ConfigPeriod:
    """The rate is planned to hold from then on, for good or for so long."""
    starts_at = timezone.now() + starts_in
    draft = make_draft_config(installation, rate(share))
    with tenant_context(ALL):
        live = published_config(installation)
        return schedule_config(
            actor=SYSTEM,
            config=draft,
            change_summary="Planned by a test",
            expected_checksum=draft.checksum,
            expected_published_number=None if live is None else live.number,
            check=accept_any,
            starts_at=starts_at,
            ends_at=None if lasts is None else starts_at + lasts,
        )


def states(installation: Installation) -> list[tuple[int, str]]:
    """Number and state of each version, as they are shown."""
    with tenant_context(ALL):
        return [(config.number, config.state) for config in reversed(config_versions(installation))]


def test_a_planned_version_starts_by_itself_and_supersedes_what_was_live() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    plan(installation, 0.25, HOUR)
    before = revision(installation)
    assert live_rate(installation) == 0.5

    pass_time(HOUR)

    assert live_rate(installation) == 0.25
    assert revision(installation) == before + 1
    assert states(installation) == [(1, "superseded"), (2, "published")]
    with tenant_context(ALL):
        assert published_config(installation) == TenantAppConfig.objects.get(installation=installation, number=2)


def test_a_version_with_an_end_gives_way_to_what_it_covered() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    plan(installation, 0.25, HOUR, lasts=HOUR)
    revisions = [revision(installation)]
    rates = [live_rate(installation)]

    for _ in range(2):
        pass_time(HOUR)
        revisions.append(revision(installation))
        rates.append(live_rate(installation))

    assert rates == [0.5, 0.25, 0.5]
    assert revisions == [revisions[0], revisions[0] + 1, revisions[0] + 2]
    assert states(installation) == [(1, "published"), (2, "superseded")]


def test_a_version_can_be_published_at_once_with_an_end() -> None:
    make_published()
    installation = make_installation()
    draft = make_draft_config(installation, rate(0.25))
    with tenant_context(ALL):
        publish_config(
            actor=SYSTEM,
            config=draft,
            change_summary="For an hour",
            expected_checksum=draft.checksum,
            expected_published_number=None,
            check=accept_any,
            ends_at=timezone.now() + HOUR,
        )
    assert live_rate(installation) == 0.25

    pass_time(HOUR)

    assert live_rate(installation) == 1.0
    assert states(installation) == [(1, "superseded")]


def test_settling_changes_statuses_and_trace_and_never_the_config_twice() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    plan(installation, 0.25, HOUR, lasts=HOUR)
    pass_time(3 * HOUR)
    unsettled = revision(installation)

    with tenant_context(ALL):
        settled = [settle_due(), settle_due()]

    assert settled == [1, 0]
    assert revision(installation) > unsettled
    assert live_rate(installation) == 0.5
    with tenant_context(ALL):
        assert [config.status for config in config_versions(installation)] == ["superseded", "published"]
        actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
        assert list(actions)[-2:] == ["config.version.started", "config.version.ended"]
        assert Installation.objects.get(pk=installation.pk).next_change_at is None


@pytest.mark.parametrize("beat_is_alive", [True, False])
def test_the_revision_of_each_state_is_greater_than_all_before(beat_is_alive: bool) -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    seen = [(revision(installation), live_rate(installation))]

    def look() -> None:
        found = (revision(installation), live_rate(installation))
        if found != seen[-1]:
            seen.append(found)

    plan(installation, 0.1, HOUR, lasts=4 * HOUR)
    look()
    plan(installation, 0.2, 2 * HOUR, lasts=HOUR)
    look()
    plan(installation, 0.3, 2.5 * HOUR)
    look()
    for _ in range(12):
        pass_time(HOUR / 2)
        look()
        if beat_is_alive:
            with tenant_context(ALL):
                settle_due()
            look()
    make_published_config(installation, rate(0.4))
    look()

    assert all(later[0] > earlier[0] for earlier, later in pairwise(seen))
    rates = [share for _, share in seen]
    # A version for good, once it has started, is what the others give way to.
    assert [share for index, share in enumerate(rates) if index == 0 or share != rates[index - 1]] == [
        0.5,
        0.1,
        0.2,
        0.3,
        0.4,
    ]


def test_a_publication_counts_what_was_due_before_it() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    plan(installation, 0.1, HOUR, lasts=HOUR)
    plan(installation, 0.2, HOUR, lasts=2 * HOUR)
    pass_time(4 * HOUR)
    unsettled = revision(installation)

    make_published_config(installation, rate(0.4))

    assert revision(installation) > unsettled
    assert live_rate(installation) == 0.4


def test_publishing_for_good_ends_what_runs_and_leaves_what_is_planned() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    plan(installation, 0.1, HOUR, lasts=4 * HOUR)
    plan(installation, 0.2, 3 * HOUR, lasts=HOUR)
    pass_time(2 * HOUR)
    assert live_rate(installation) == 0.1

    with tenant_context(ALL):
        settle_due()
    make_published_config(installation, rate(0.4))

    rates = []
    for _ in range(3):
        rates.append(live_rate(installation))
        pass_time(HOUR)
    assert rates == [0.4, 0.2, 0.4]


def test_what_is_planned_can_be_given_up_and_what_runs_can_be_ended() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    given_up = plan(installation, 0.1, HOUR, lasts=HOUR)
    running = plan(installation, 0.2, HOUR, lasts=4 * HOUR)
    with tenant_context(ALL):
        end_period(actor=SYSTEM, period=given_up)
        assert [period.pk for period in planned_periods(installation)] == [running.pk]
    pass_time(HOUR)
    before = revision(installation)
    assert live_rate(installation) == 0.2

    with tenant_context(ALL):
        end_period(actor=SYSTEM, period=running)

    assert live_rate(installation) == 0.5
    assert revision(installation) > before
    assert states(installation) == [(1, "published"), (2, "preview"), (3, "superseded")]


def test_the_freshness_read_is_one_statement_that_looks_at_plans_only_when_one_is_due() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    for index in range(5):
        plan(installation, 0.1, (index + 1) * HOUR, lasts=HOUR / 2)

    def scans() -> int:
        with tenant_context(ALL), CaptureQueriesContext(connection) as queries:
            config_revision(installation.pk)
        assert len([query for query in queries if "bound" in query["sql"]]) == 1
        with tenant_context(ALL), connection.cursor() as cursor:
            cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + queries[-1]["sql"])
            (found,) = cursor.fetchone()
        looked_at = [node for node in nodes(found[0]["Plan"]) if node.get("Relation Name") == EXCEPTIONS]
        return sum(node["Actual Loops"] for node in looked_at)

    assert scans() == 0
    pass_time(HOUR)
    assert scans() > 0


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for part in plan.get("Plans", ()) for node in nodes(part))]


def test_a_config_says_until_when_it_is_valid_if_nobody_changes_anything() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    period = plan(installation, 0.1, HOUR, lasts=HOUR)

    def valid_until() -> datetime | None:
        with tenant_context(ALL):
            return config_layers(installation.pk).valid_until

    assert period.ends_at is not None
    assert valid_until() == period.starts_at
    pass_time(HOUR)
    assert valid_until() == period.ends_at - HOUR
    pass_time(HOUR)
    assert valid_until() is None


def test_the_document_that_apps_fetch_changes_with_the_instant() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    plan(installation, 0.1, HOUR)

    def fetched() -> tuple[str, bool]:
        with tenant_context(ALL):
            found = config_document(installation, config_revision(installation.pk))
        return found.etag, b'"rate":0.1' in found.body

    first, again = fetched(), fetched()
    pass_time(HOUR)
    later = fetched()

    assert first == again
    assert (first[1], later[1]) == (False, True)
    assert first[0] != later[0]


def test_what_was_in_force_can_be_told_at_every_instant() -> None:
    make_published()
    installation = make_installation(override=rate(0.5))
    plan(installation, 0.1, HOUR, lasts=HOUR)
    moments: list[tuple[datetime, EffectiveConfig]] = []
    for _ in range(3):
        with tenant_context(ALL):
            moments.append((timezone.now(), effective_config(installation)))
        pass_time(HOUR)
        moments = [(at - HOUR, config) for at, config in moments]

    with tenant_context(ALL):
        told = [effective_config(installation, at=at) for at, _ in moments]

    assert told == [config for _, config in moments]
    assert [config.events[0].sampling.rate for config in told] == [0.5, 0.1, 0.5]
