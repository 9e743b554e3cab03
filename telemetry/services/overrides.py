"""A tenant's override, checked against the spec, the blueprint and the floors that it meets.

The life of its versions is the business of ``tenants.services.configs``; this adds what needs a spec.
"""

from datetime import datetime
from functools import partial

import msgspec
from django.db import transaction
from django.utils import timezone

from telemetry.core.codec import Format, decode_document
from telemetry.core.config import AppBlueprint, TenantOverride
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.resolution import find_loosening
from telemetry.services.configs import exceptions_behind, floor_behind, layers_at
from telemetry.services.proposals.publication import note_live_override
from telemetry.services.references import find_misfits, read_pointer
from tenants.actors import Actor, require
from tenants.mappers import override_of
from tenants.models import ConfigPeriod, Installation, TenantAppConfig
from tenants.services import config_drafts, config_schedules, configs

__all__ = [
    "find_override_errors",
    "publish_override",
    "read_override",
    "rollback_override",
    "save_override",
    "schedule_override",
]

WHAT = "tenant override"


def read_override(document: bytes | str, *, format: Format | None = None) -> TenantOverride:  # noqa: A002
    """The override that a JSON or YAML document describes; ``InvalidDocument`` with every broken rule."""
    return decode_document(document, TenantOverride, what=WHAT, format=format)


def find_override_errors(
    installation: Installation, override: TenantOverride, *, at: datetime | None = None
) -> tuple[FieldError, ...]:
    """Every reason why the override may not go live at the installation, with paths in its document; up to 3 queries.

    References to a spec, event or property that is not there; settings that do not fit; wishes that would loosen
    privacy or leave the floor. ``at``: by the floors and exceptions that are known to hold at that instant.
    """
    layers = layers_at(installation, at)
    blueprint = msgspec.json.decode(layers.blueprint, type=AppBlueprint)
    pointer = override.spec or blueprint.spec
    if pointer is None:
        return () if override == TenantOverride() else (_no_spec_bound(),)
    spec, errors = read_pointer(pointer)
    if spec is None:
        return errors
    loosening = find_loosening(spec, blueprint, override, floor_behind(layers), exceptions_behind(layers))
    return (*find_misfits(spec, override), *loosening)


@transaction.atomic
def save_override(
    *,
    actor: Actor,
    installation: Installation,
    override: TenantOverride,
    expected_checksum: str | None,
    deed: str = "Changed",
    promoted_from: TenantAppConfig | None = None,
) -> TenantAppConfig:
    """The installation's draft holds ``override``; nothing changes for apps.

    ``expected_checksum`` is that of the draft that was edited, ``None`` if there was none. Needs ``config.edit`` in
    the tenant. Raises ``InvalidDocument`` with everything that ``find_override_errors`` finds. Everything else is as
    for ``tenants.services.config_drafts.save_draft_config``.
    """
    require(actor, "config.edit", installation.tenant_id)
    _refuse(find_override_errors(installation, override))
    return config_drafts.save_draft_config(
        actor=actor,
        installation=installation,
        override=override,
        expected_checksum=expected_checksum,
        deed=deed,
        promoted_from=promoted_from,
    )


@transaction.atomic
def publish_override(
    *,
    actor: Actor,
    config: TenantAppConfig,
    change_summary: str,
    expected_checksum: str,
    expected_published_number: int | None,
    ends_at: datetime | None = None,
) -> TenantAppConfig:
    """The draft or preview is live, checked against the spec and floors of this moment; apps get a new config.

    Arguments and errors are those of ``tenants.services.configs.publish_config``, and ``InvalidDocument`` as in
    ``save_override``.
    """
    published = configs.publish_config(
        actor=actor,
        config=config,
        change_summary=change_summary,
        expected_checksum=expected_checksum,
        expected_published_number=expected_published_number,
        check=_check,
        ends_at=ends_at,
    )
    note_live_override(config.installation, override_of(published), number=published.number, at=timezone.now())
    return published


@transaction.atomic
def schedule_override(
    *,
    actor: Actor,
    config: TenantAppConfig,
    change_summary: str,
    expected_checksum: str,
    expected_published_number: int | None,
    starts_at: datetime,
    ends_at: datetime | None = None,
) -> ConfigPeriod:
    """The draft or preview goes live by itself, checked against the floors and exceptions that will hold then.

    Arguments and errors are those of ``tenants.services.config_schedules.schedule_config``, and ``InvalidDocument`` as
    in ``save_override``. What the spec or a floor forbids by then, although it was allowed when it was planned, has no
    effect.
    """
    return config_schedules.schedule_config(
        actor=actor,
        config=config,
        change_summary=change_summary,
        expected_checksum=expected_checksum,
        expected_published_number=expected_published_number,
        check=partial(_check, at=starts_at),
        starts_at=starts_at,
        ends_at=ends_at,
    )


@transaction.atomic
def rollback_override(
    *,
    actor: Actor,
    installation: Installation,
    number: int,
    change_summary: str,
    expected_published_number: int,
) -> TenantAppConfig:
    """The override of the superseded version ``number`` is live again, checked as a new one would be.

    Arguments and errors are those of ``tenants.services.configs.rollback_config``, and ``InvalidDocument`` as in
    ``save_override``.
    """
    return configs.rollback_config(
        actor=actor,
        installation=installation,
        number=number,
        change_summary=change_summary,
        expected_published_number=expected_published_number,
        check=_check,
    )


def _check(config: TenantAppConfig, at: datetime | None = None) -> None:
    _refuse(find_override_errors(config.installation, override_of(config), at=at))


def _refuse(errors: tuple[FieldError, ...]) -> None:
    if errors:
        raise InvalidDocument(errors, what=WHAT)


def _no_spec_bound() -> FieldError:
    return FieldError("no_spec_bound", "spec", "the app's blueprint names no spec, so the override has to name one")
