"""The draft of an installation's override: written, undone, and made final for review."""

import msgspec
from django.db import transaction

from telemetry.core.codec import checksum
from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict, StaleRevision
from tenants.actors import Actor, require
from tenants.mappers import document_of
from tenants.models import ConfigStatus, DraftStep, Installation, TenantAppConfig
from tenants.selectors import draft_config, last_step, published_config
from tenants.services.config_parts import add_version, lock_installation, record_deed
from tenants.services.draft_steps import forget_steps, keep_step

__all__ = ["preview_config", "save_draft_config", "undo_draft_change"]


@transaction.atomic
def save_draft_config(
    *,
    actor: Actor,
    installation: Installation,
    override: TenantOverride,
    expected_checksum: str | None,
    deed: str = "Changed",
    promoted_from: TenantAppConfig | None = None,
) -> TenantAppConfig:
    """The installation's one draft holds ``override``; nothing changes for apps.

    ``expected_checksum`` is that of the draft which was edited, ``None`` if there was none; ``StaleRevision`` if that
    changed since. ``deed`` says in words what was done, for whoever wants to undo it. ``promoted_from`` is the version
    of another installation from which the override was taken. Needs ``config.edit`` in the tenant. Raises
    ``InvalidDocument`` for a bad override.
    """
    require(actor, "config.edit", installation.tenant_id)
    document = document_of(override, what="override")
    lock_installation(installation)
    draft = _expected_draft(installation, expected_checksum)
    if draft is None:
        live = published_config(installation)
        draft = add_version(actor, installation, document, ConfigStatus.DRAFT, based_on=live)
        before = document_of(TenantOverride(), what="override").text if live is None else live.document
        keep_step(actor, draft, before, deed)
    elif draft.checksum != document.checksum:
        keep_step(actor, draft, draft.document, deed)
        draft.document, draft.checksum = document
        draft.save(update_fields=["document", "checksum"])
    else:
        return draft
    if promoted_from is not None:
        draft.promoted_from = promoted_from
        draft.save(update_fields=["promoted_from"])
    origin = {} if promoted_from is None else {"promoted_from": str(promoted_from.installation)}
    record_deed(actor, "config.draft.saved", draft, **origin)
    return draft


@transaction.atomic
def undo_draft_change(*, actor: Actor, installation: Installation, expected_checksum: str) -> DraftStep:
    """The draft says what it said before its last change; the step that was undone is returned, and gone.

    ``expected_checksum`` is that of the draft as it was seen: ``StaleRevision`` if it changed since. Needs
    ``config.edit`` in the tenant. Raises ``Conflict`` if there is nothing to undo.
    """
    require(actor, "config.edit", installation.tenant_id)
    lock_installation(installation)
    draft = _expected_draft(installation, expected_checksum)
    step = None if draft is None else last_step(draft)
    if draft is None or step is None:
        raise Conflict("there is nothing to undo")
    draft.document, draft.checksum = step.document, checksum(msgspec.json.decode(step.document, type=TenantOverride))
    draft.save(update_fields=["document", "checksum"])
    DraftStep.objects.filter(pk=step.pk).delete()
    record_deed(actor, "config.draft.undone", draft, deed=step.deed)
    return step


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
    forget_steps(config)
    record_deed(actor, "config.preview.opened", config)
    return config


def _expected_draft(installation: Installation, expected_checksum: str | None) -> TenantAppConfig | None:
    draft = draft_config(installation)
    if (draft.checksum if draft else None) != expected_checksum:
        raise StaleRevision("the draft was changed by somebody else; reload it")
    return draft
