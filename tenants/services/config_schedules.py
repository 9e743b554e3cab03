"""Versions of overrides that start and end by themselves."""

from datetime import datetime

from django.db import transaction

from telemetry.core.errors import Conflict
from tenants.actors import Actor, require
from tenants.models import ConfigPeriod, ConfigStatus, TenantAppConfig
from tenants.services.config_parts import (
    add_period,
    end_of,
    record_deed,
    refuse_bad_publication,
    require_live,
    reviewed_version,
)
from tenants.services.config_revision import stamp_installations, take_stamp
from tenants.services.configs import ConfigCheck
from tenants.services.draft_steps import forget_steps
from tenants.services.settling import follow_periods, settle

__all__ = ["end_period", "schedule_config"]


@transaction.atomic
def schedule_config(
    *,
    actor: Actor,
    config: TenantAppConfig,
    change_summary: str,
    expected_checksum: str,
    expected_published_number: int | None,
    check: ConfigCheck,
    starts_at: datetime,
    ends_at: datetime | None = None,
) -> ConfigPeriod:
    """The draft or preview goes live by itself at ``starts_at``, and ends at ``ends_at`` if that is given.

    The version is final from here on, and a preview until it starts. Everything else is as for ``publish_config``;
    ``check`` has to judge by what will hold at ``starts_at``. ``InvalidDocument`` also for a start that has passed or
    an end that is not after it, ``Conflict`` if the version is planned already.
    """
    require(actor, "config.publish", config.tenant_id)
    stamp = take_stamp()
    refuse_bad_publication("schedule", change_summary, stamp, starts_at=starts_at, ends_at=ends_at)
    settle([config.installation_id], stamp)
    require_live(config.installation_id, expected_published_number, stamp)
    reviewed = reviewed_version(config, expected_checksum)
    check(reviewed)
    reviewed.status = ConfigStatus.PREVIEW
    reviewed.change_summary = change_summary
    reviewed.save(update_fields=["status", "change_summary"])
    forget_steps(reviewed)
    period = add_period(actor, reviewed, starts_at, ends_at, stamp)
    stamp = stamp_installations([config.installation_id], stamp)
    start = starts_at.isoformat()
    record_deed(
        actor,
        "config.version.scheduled",
        reviewed,
        config_revision=stamp.revision,
        starts_at=start,
        **end_of(ends_at),
    )
    return period


@transaction.atomic
def end_period(*, actor: Actor, period: ConfigPeriod) -> ConfigPeriod:
    """What was planned does not start, or what runs with an end ends now; apps get what holds without it.

    Needs ``config.publish`` in the tenant. Raises ``Conflict`` for a period that has ended, or that holds for good:
    that one ends by publishing another version.
    """
    require(actor, "config.publish", period.tenant_id)
    stamp = take_stamp()
    settle([period.installation_id], stamp)
    period = ConfigPeriod.objects.select_related("config").get(pk=period.pk)
    if period.is_given_up:
        raise Conflict("this was given up already")
    has_started = period.starts_at <= stamp.at
    if has_started and period.ends_at is None:
        raise Conflict("this version is live for good; publish or roll back to another one instead")
    if period.ends_at is not None and period.ends_at <= stamp.at:
        raise Conflict("this has ended already")
    period.ends_at = stamp.at if has_started else period.starts_at
    period.ended_by_label = actor.label
    period.save(update_fields=["ends_at", "ended_by_label"])
    if has_started:
        follow_periods(period.installation_id, stamp.at)
    stamp = stamp_installations([period.installation_id], stamp)
    action = "config.version.ended_early" if has_started else "config.version.unscheduled"
    record_deed(actor, action, period.config, config_revision=stamp.revision)
    period.config.refresh_from_db()
    return period
