"""The life of a tenant's overrides: draft, preview, published, superseded, archived.

Publishing and rolling back take a ``check``: a function of the version that is about to go live. It runs inside the
transaction, after the lock that lets only one change of configs happen at a time, and refuses by raising. The layer
that knows specs passes in that no privacy is loosened; here, nothing is known of specs.
"""

from collections.abc import Callable

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict, NotFound, StaleRevision
from tenants.actors import Actor, require
from tenants.mappers import Document, document_of
from tenants.models import ConfigStatus, Installation, TenantAppConfig
from tenants.selectors import config_by_number, draft_config, published_config
from tenants.services import audit
from tenants.services.checks import refuse_errors, text_error
from tenants.services.config_revision import bump

__all__ = [
    "ConfigCheck",
    "archive_config",
    "preview_config",
    "publish_config",
    "rollback_config",
    "save_draft_config",
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
) -> TenantAppConfig:
    """The draft or preview is live, the version that was live is superseded, and the config revision has moved.

    ``expected_checksum`` is that of the version as it was reviewed, ``expected_published_number`` the version that the
    reviewer saw as live (``None``: none). If either changed since: ``StaleRevision``, which names the live version.
    Of several publishers at once exactly one succeeds. ``check``: see the module. Needs ``config.publish`` in the
    tenant. Raises ``InvalidDocument`` without a change summary.
    """
    require(actor, "config.publish", config.tenant_id)
    refuse_errors("publication", text_error("change_summary", change_summary, required=True))
    revision = bump()
    _supersede_live(config.installation_id, expected_published_number)
    reviewed = TenantAppConfig.objects.filter(pk=config.pk, status__in=OPEN, checksum=expected_checksum).first()
    if reviewed is None:
        raise StaleRevision("this version was changed or published by somebody else; reload it")
    check(reviewed)
    _make_live(actor, reviewed, change_summary, revision)
    _record(actor, "config.version.published", reviewed, config_revision=revision, replaced=expected_published_number)
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
    refuse_errors("rollback", text_error("change_summary", change_summary, required=True))
    revision = bump()
    source = config_by_number(installation, number)
    if source.status != ConfigStatus.SUPERSEDED:
        raise Conflict(f"version {number} is {source.status}; only a superseded version can come back")
    _lock_installation(installation)
    _supersede_live(installation.pk, expected_published_number)
    document = Document(source.document, source.checksum)
    restored = _add_version(actor, installation, document, ConfigStatus.PREVIEW, based_on=source)
    check(restored)
    _make_live(actor, restored, change_summary, revision)
    _record(
        actor,
        "config.version.rolled_back",
        restored,
        config_revision=revision,
        replaced=expected_published_number,
        restored=number,
    )
    return restored


@transaction.atomic
def archive_config(*, actor: Actor, config: TenantAppConfig) -> TenantAppConfig:
    """The version is put away for good: a draft or preview given up, or a superseded one. Needs ``config.edit``.

    Raises ``Conflict`` for the live version: an installation goes back to the app's defaults by publishing an empty
    override.
    """
    require(actor, "config.edit", config.tenant_id)
    archivable = TenantAppConfig.objects.filter(pk=config.pk, status__in=ARCHIVABLE)
    if archivable.update(status=ConfigStatus.ARCHIVED) != 1:
        raise Conflict("this version is live or archived already")
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


def _supersede_live(installation_id: int, expected_number: int | None) -> None:
    live = TenantAppConfig.objects.filter(installation_id=installation_id, status=ConfigStatus.PUBLISHED)
    number = live.values_list("number", flat=True).first()
    if number != expected_number:
        raise StaleRevision(
            "no version is live any more; reload" if number is None else f"version {number} went live meanwhile; reload"
        )
    live.update(status=ConfigStatus.SUPERSEDED)


def _make_live(actor: Actor, config: TenantAppConfig, change_summary: str, revision: int) -> None:
    config.status = ConfigStatus.PUBLISHED
    config.change_summary = change_summary
    config.published_by_label = actor.label
    config.published_at = timezone.now()
    config.save(update_fields=["status", "change_summary", "published_by_label", "published_at"])
    Installation.objects.filter(pk=config.installation_id).update(config_revision=revision)


def _record(actor: Actor, action: str, config: TenantAppConfig, **details: int | str | None) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=config,
        tenant_id=config.tenant_id,
        details={"number": config.number, "checksum": config.checksum, **details},
    )
