"""The life of a tenant's overrides: draft, preview, published, superseded, archived.

When a version is in force, its periods say: one for good is closed by the next publication, one with an end gives way
to what it had covered, one that is planned starts by itself.

Publishing and rolling back take a ``check``: a function of the version that is about to go live. It runs inside the
transaction, after the lock that lets only one change of configs happen at a time, and refuses by raising. The layer
that knows specs passes in that no privacy is loosened; here, nothing is known of specs.
"""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max, Q

from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict, FieldError, NotFound, StaleRevision
from tenants.actors import Actor, require
from tenants.history import live_period_at
from tenants.mappers import Document, document_of
from tenants.models import ConfigPeriod, ConfigStatus, Installation, TenantAppConfig
from tenants.selectors import config_by_number, draft_config, published_config
from tenants.services import audit
from tenants.services.checks import refuse_errors, text_error
from tenants.services.config_revision import Stamp, foresee, stamp_installations, take_stamp
from tenants.services.settling import follow_periods, settle

__all__ = [
    "ConfigCheck",
    "archive_config",
    "end_period",
    "preview_config",
    "publish_config",
    "rollback_config",
    "save_draft_config",
    "schedule_config",
]

ConfigCheck = Callable[[TenantAppConfig], object]

OPEN = (ConfigStatus.DRAFT, ConfigStatus.PREVIEW)
ARCHIVABLE = (ConfigStatus.DRAFT, ConfigStatus.PREVIEW, ConfigStatus.SUPERSEDED)


@transaction.atomic
def save_draft_config(
    *, actor: Actor, installation: Installation, override: TenantOverride, expected_checksum: str | None
) -> TenantAppConfig:
    """The installation's one draft holds ``override``; nothing changes for apps.

    ``expected_checksum`` is that of the draft which was edited, ``None`` if there was none; ``StaleRevision`` if that
    changed since. Needs ``config.edit`` in the tenant. Raises ``InvalidDocument`` for a bad override.
    """
    require(actor, "config.edit", installation.tenant_id)
    document = document_of(override, what="override")
    _lock_installation(installation)
    draft = draft_config(installation)
    if (draft.checksum if draft else None) != expected_checksum:
        raise StaleRevision("the draft was changed by somebody else; reload it")
    if draft is None:
        live = published_config(installation)
        draft = _add_version(actor, installation, document, ConfigStatus.DRAFT, based_on=live)
    elif draft.checksum != document.checksum:
        draft.document, draft.checksum = document
        draft.save(update_fields=["document", "checksum"])
    else:
        return draft
    _record(actor, "config.draft.saved", draft)
    return draft


@transaction.atomic
def preview_config(*, actor: Actor, config: TenantAppConfig, expected_checksum: str) -> TenantAppConfig:
    """The draft is final and up for review; the installation is free for a new draft. Needs ``config.edit``.

    Raises ``StaleRevision`` if it is no draft any more, or not the one with this checksum.
    """
    require(actor, "config.edit", config.tenant_id)
    drafts = TenantAppConfig.objects.filter(pk=config.pk, status=ConfigStatus.DRAFT, checksum=expected_checksum)
    if drafts.update(status=ConfigStatus.PREVIEW) != 1:
        raise StaleRevision("the draft was changed by somebody else; reload it")
    config.refresh_from_db()
    _record(actor, "config.preview.opened", config)
    return config


@transaction.atomic
def publish_config(
    *,
    actor: Actor,
    config: TenantAppConfig,
    change_summary: str,
    expected_checksum: str,
    expected_published_number: int | None,
    check: ConfigCheck,
    ends_at: datetime | None = None,
) -> TenantAppConfig:
    """The draft or preview is live, the version that was live is superseded, and the config revision has moved.

    With ``ends_at``, an aware instant ahead, it ends by itself, and what it has covered is live again.
    ``expected_checksum`` is that of the version as it was reviewed, ``expected_published_number`` the version that the
    reviewer saw as live (``None``: none). If either changed since: ``StaleRevision``, which names the live version.
    Of several publishers at once exactly one succeeds. ``check``: see the module. Needs ``config.publish`` in the
    tenant. Raises ``InvalidDocument`` without a change summary or for an end that has passed, ``Conflict`` if the
    version is planned for later.
    """
    require(actor, "config.publish", config.tenant_id)
    stamp = take_stamp()
    _refuse_bad_publication("publication", change_summary, stamp, ends_at=ends_at)
    settle([config.installation_id], stamp)
    replaced = _require_live(config.installation_id, expected_published_number, stamp)
    reviewed = _reviewed(config, expected_checksum)
    check(reviewed)
    _make_live(actor, reviewed, replaced, change_summary, stamp, ends_at)
    stamp = stamp_installations([config.installation_id], stamp)
    details = {"config_revision": stamp.revision, "replaced": expected_published_number}
    _record(actor, "config.version.published", reviewed, **details, **_end(ends_at))
    return reviewed


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
    _refuse_bad_publication("schedule", change_summary, stamp, starts_at=starts_at, ends_at=ends_at)
    settle([config.installation_id], stamp)
    _require_live(config.installation_id, expected_published_number, stamp)
    reviewed = _reviewed(config, expected_checksum)
    check(reviewed)
    reviewed.status = ConfigStatus.PREVIEW
    reviewed.change_summary = change_summary
    reviewed.save(update_fields=["status", "change_summary"])
    period = _add_period(actor, reviewed, starts_at, ends_at, stamp)
    stamp = stamp_installations([config.installation_id], stamp)
    start = starts_at.isoformat()
    _record(
        actor,
        "config.version.scheduled",
        reviewed,
        config_revision=stamp.revision,
        starts_at=start,
        **_end(ends_at),
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
    _record(actor, action, period.config, config_revision=stamp.revision)
    period.config.refresh_from_db()
    return period


@transaction.atomic
def rollback_config(
    *,
    actor: Actor,
    installation: Installation,
    number: int,
    change_summary: str,
    expected_published_number: int,
    check: ConfigCheck,
) -> TenantAppConfig:
    """A new version with the document of version ``number`` is live; ``based_on`` keeps the lineage.

    Only a superseded version comes back: else ``Conflict``. Everything else is as for ``publish_config``.
    """
    require(actor, "config.publish", installation.tenant_id)
    stamp = take_stamp()
    _refuse_bad_publication("rollback", change_summary, stamp)
    settle([installation.pk], stamp)
    source = config_by_number(installation, number)
    if source.status != ConfigStatus.SUPERSEDED:
        raise Conflict(f"version {number} is {source.status}; only a superseded version can come back")
    _lock_installation(installation)
    replaced = _require_live(installation.pk, expected_published_number, stamp)
    document = Document(source.document, source.checksum)
    restored = _add_version(actor, installation, document, ConfigStatus.PREVIEW, based_on=source)
    check(restored)
    _make_live(actor, restored, replaced, change_summary, stamp, None)
    stamp = stamp_installations([installation.pk], stamp)
    details = {"config_revision": stamp.revision, "replaced": expected_published_number, "restored": number}
    _record(actor, "config.version.rolled_back", restored, **details)
    return restored


@transaction.atomic
def archive_config(*, actor: Actor, config: TenantAppConfig) -> TenantAppConfig:
    """The version is put away for good: a draft or preview given up, or a superseded one. Needs ``config.edit``.

    Raises ``Conflict`` for the live version, since an installation goes back to the app's defaults by publishing an
    empty override, and for one that is planned, or holds again when another one ends.
    """
    require(actor, "config.edit", config.tenant_id)
    stamp = take_stamp()
    settle([config.installation_id], stamp)
    archivable = TenantAppConfig.objects.filter(pk=config.pk, status__in=ARCHIVABLE)
    if archivable.update(status=ConfigStatus.ARCHIVED) != 1:
        raise Conflict("this version is live or archived already")
    if config.periods.filter(Q(ends_at=None) | Q(ends_at__gt=stamp.at)).exclude(starts_at=F("ends_at")).exists():
        raise Conflict("this version is planned, or holds again when another one ends")
    config.refresh_from_db()
    _record(actor, "config.version.archived", config)
    return config


def _lock_installation(installation: Installation) -> None:
    """Until the transaction ends, nobody else adds a version; ``NotFound`` if the context does not show it.

    Always after the counter's lock, where both are taken.
    """
    if not Installation.objects.select_for_update(no_key=True).filter(pk=installation.pk).order_by().exists():
        raise NotFound("there is no such installation")


def _add_version(
    actor: Actor,
    installation: Installation,
    document: Document,
    status: ConfigStatus,
    *,
    based_on: TenantAppConfig | None,
) -> TenantAppConfig:
    versions = TenantAppConfig.objects.filter(installation=installation)
    last = versions.aggregate(last=Max("number"))["last"]
    return TenantAppConfig.objects.create(
        installation=installation,
        tenant_id=installation.tenant_id,
        number=(last or 0) + 1,
        status=status,
        document=document.text,
        checksum=document.checksum,
        based_on=based_on,
        created_by_label=actor.label,
    )


def _refuse_bad_publication(
    what: str,
    change_summary: str,
    stamp: Stamp,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> None:
    start = stamp.at if starts_at is None else starts_at
    is_late = starts_at is not None and starts_at <= stamp.at
    is_short = ends_at is not None and ends_at <= start
    refuse_errors(
        what,
        text_error("change_summary", change_summary, required=True),
        FieldError("out_of_range", "starts_at", "expected an instant in the future") if is_late else None,
        FieldError("out_of_range", "ends_at", "expected an instant after the start") if is_short else None,
    )


def _require_live(installation_id: int, expected_number: int | None, stamp: Stamp) -> ConfigPeriod | None:
    """The period that counts now, if its version is the one that was expected."""
    period = live_period_at(installation_id, stamp.at)
    number = None if period is None else period.config.number
    if number != expected_number:
        raise StaleRevision(
            "no version is live any more; reload" if number is None else f"version {number} went live meanwhile; reload"
        )
    return period


def _reviewed(config: TenantAppConfig, expected_checksum: str) -> TenantAppConfig:
    """The version as it was reviewed, if it is free to go live."""
    versions = TenantAppConfig.objects.filter(pk=config.pk, status__in=OPEN, checksum=expected_checksum)
    reviewed = versions.select_for_update(no_key=True).first()
    if reviewed is None:
        raise StaleRevision("this version was changed or published by somebody else; reload it")
    if reviewed.periods.exclude(starts_at=F("ends_at")).exists():
        raise Conflict(f"version {reviewed.number} is planned already; cancel that first")
    return reviewed


def _make_live(
    actor: Actor,
    config: TenantAppConfig,
    replaced: ConfigPeriod | None,
    change_summary: str,
    stamp: Stamp,
    ends_at: datetime | None,
) -> None:
    if ends_at is None:
        # For good: nothing that runs now comes back.
        running = ConfigPeriod.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=stamp.at), installation_id=config.installation_id, starts_at__lte=stamp.at
        )
        running.update(ends_at=stamp.at, ended_by_label=actor.label)
    if replaced is not None:
        TenantAppConfig.objects.filter(pk=replaced.config_id).update(status=ConfigStatus.SUPERSEDED)
    config.status = ConfigStatus.PUBLISHED
    config.change_summary = change_summary
    config.published_by_label = actor.label
    config.published_at = stamp.at
    config.save(update_fields=["status", "change_summary", "published_by_label", "published_at"])
    _add_period(actor, config, stamp.at, ends_at, stamp)


def _add_period(
    actor: Actor, config: TenantAppConfig, starts_at: datetime, ends_at: datetime | None, stamp: Stamp
) -> ConfigPeriod:
    foresee(stamp, starts_at, ends_at)
    return ConfigPeriod.objects.create(
        installation_id=config.installation_id,
        tenant_id=config.tenant_id,
        config=config,
        starts_at=starts_at,
        ends_at=ends_at,
        planned_by_label=actor.label,
        planned_at=stamp.at,
    )


def _end(ends_at: datetime | None) -> dict[str, str]:
    return {} if ends_at is None else {"ends_at": ends_at.isoformat()}


def _record(actor: Actor, action: str, config: TenantAppConfig, **details: int | str | None) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=config,
        tenant_id=config.tenant_id,
        details={"number": config.number, "checksum": config.checksum, **details},
    )
