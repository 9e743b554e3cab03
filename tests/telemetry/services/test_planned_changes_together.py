"""Plans, publications, early ends and the job that settles them, all at the same time."""

import time
from datetime import timedelta

import pytest
from django.utils import timezone

from telemetry.services.overrides import publish_override, schedule_override
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, ConfigPeriod, ConfigStatus, Installation, TenantAppConfig
from tenants.selectors import live_period, published_config
from tenants.services.config_drafts import preview_config
from tenants.services.config_schedules import end_period
from tenants.tasks import settle_planned_changes
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.test_planned_changes import live_rate, rate, revision
from tests.tenants.factories import make_draft_config
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 3


def preview(installation: Installation, share: float) -> TenantAppConfig:
    draft = make_draft_config(installation, rate(share))
    with tenant_context(ALL):
        return preview_config(actor=SYSTEM, config=draft, expected_checksum=draft.checksum)


def test_whatever_comes_first_one_version_is_live_and_the_revision_only_rises() -> None:
    make_published()
    installation = make_installation(override=rate(0.9))
    for number in range(ROUNDS):
        planned, instant, later = (preview(installation, share) for share in (0.1, 0.2, 0.3))
        before = revision(installation)
        with tenant_context(ALL):
            live = published_config(installation)
            period = schedule_override(
                actor=SYSTEM,
                config=planned,
                change_summary="Soon",
                expected_checksum=planned.checksum,
                expected_published_number=None if live is None else live.number,
                starts_at=timezone.now() + timedelta(milliseconds=20),
                ends_at=timezone.now() + timedelta(hours=1),
            )
        time.sleep(0.03)

        def publish(instant: TenantAppConfig = instant, period: ConfigPeriod = period) -> object:
            with tenant_context(ALL):
                return publish_override(
                    actor=SYSTEM,
                    config=instant,
                    change_summary="Now",
                    expected_checksum=instant.checksum,
                    expected_published_number=period.config.number,
                )

        def plan(later: TenantAppConfig = later, period: ConfigPeriod = period) -> object:
            with tenant_context(ALL):
                return schedule_override(
                    actor=SYSTEM,
                    config=later,
                    change_summary="Later",
                    expected_checksum=later.checksum,
                    expected_published_number=period.config.number,
                    starts_at=timezone.now() + timedelta(hours=2),
                )

        def end(period: ConfigPeriod = period) -> object:
            with tenant_context(ALL):
                return end_period(actor=SYSTEM, period=period)

        run_together(publish, plan, end, settle_planned_changes, settle_planned_changes)

        with tenant_context(ALL):
            settle_planned_changes()
            statuses = list(TenantAppConfig.objects.values_list("number", "status"))
            in_force = live_period(installation)
            started = AuditEntry.objects.filter(action="config.version.started", target_id=str(planned.pk)).count()
        assert in_force is not None
        assert [each for each, status in statuses if status == ConfigStatus.PUBLISHED] == [in_force.config.number]
        assert live_rate(installation) in (0.9, 0.2)
        assert started == 1, f"round {number}"
        assert revision(installation) > before
