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
from django.db.models import F, Q

from telemetry.core.errors import Conflict
from tenants.actors import Actor, require
from tenants.mappers import Document
from tenants.models import ConfigPeriod, ConfigStatus, Installation, TenantAppConfig
from tenants.selectors import config_by_number
from tenants.services.config_parts import (
    add_period,
    add_version,
    end_of,
    lock_installation,
    record_deed,
    refuse_bad_publication,
    require_live,
    reviewed_version,
)
from tenants.services.config_revision import Stamp, stamp_installations, take_stamp
from tenants.services.draft_steps import forget_steps
from tenants.services.settling import settle

__all__ = ["ConfigCheck", "archive_config", "publish_config", "rollback_config"]

ConfigCheck = Callable[[TenantAppConfig], object]

ARCHIVABLE = (ConfigStatus.DRAFT, ConfigStatus.PREVIEW, ConfigStatus.SUPERSEDED)


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
    refuse_bad_publication("publication", change_summary, stamp, ends_at=ends_at)
    settle([config.installation_id], stamp)
    replaced = require_live(config.installation_id, expected_published_number, stamp)
    reviewed = reviewed_version(config, expected_checksum)
    check(reviewed)
    _make_live(actor, reviewed, replaced, change_summary, stamp, ends_at)
    stamp = stamp_installations([config.installation_id], stamp)
    details = {"config_revision": stamp.revision, "replaced": expected_published_number}
    record_deed(actor, "config.version.published", reviewed, **details, **end_of(ends_at))
    return reviewed


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
    refuse_bad_publication("rollback", change_summary, stamp)
    settle([installation.pk], stamp)
    source = config_by_number(installation, number)
    if source.status != ConfigStatus.SUPERSEDED:
        raise Conflict(f"version {number} is {source.status}; only a superseded version can come back")
    lock_installation(installation)
    replaced = require_live(installation.pk, expected_published_number, stamp)
    document = Document(source.document, source.checksum)
    restored = add_version(actor, installation, document, ConfigStatus.PREVIEW, based_on=source)
    check(restored)
    _make_live(actor, restored, replaced, change_summary, stamp, None)
    stamp = stamp_installations([installation.pk], stamp)
    details = {"config_revision": stamp.revision, "replaced": expected_published_number, "restored": number}
    record_deed(actor, "config.version.rolled_back", restored, **details)
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
    forget_steps(config)
    record_deed(actor, "config.version.archived", config)
    return config


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
    forget_steps(config)
    add_period(actor, config, stamp.at, ends_at, stamp)
