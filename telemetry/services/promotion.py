"""Taking an override from one environment of an app at a tenant to another."""

from typing import Final, NamedTuple

from django.db import transaction

from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict, FieldError
from telemetry.core.override_editing import without_refused
from telemetry.services.overrides import find_override_errors, save_override
from tenants.actors import Actor, require
from tenants.mappers import override_of
from tenants.models import Installation, TenantAppConfig
from tenants.selectors import config_by_number, published_config

__all__ = ["Promotion", "plan_promotion", "promotable_installations", "promote_override"]

# Each round leaves out everything that the one before refused; what is left can be refused for another reason only,
# such as by the spec that holds once a pin is left out.
ROUNDS: Final = 5


class Promotion(NamedTuple):
    """What would be taken over, from which version, and what cannot be, with the reason.

    Paths in ``left_out`` are places in the source's override.
    """

    source: TenantAppConfig
    override: TenantOverride
    left_out: tuple[FieldError, ...]


def promotable_installations(target: Installation) -> list[Installation]:
    """The other environments of the same app at the same tenant, from which something can be taken; one query."""
    others = Installation.objects.filter(tenant_id=target.tenant_id, app_id=target.app_id).exclude(pk=target.pk)
    return list(others.select_related("tenant", "app").order_by("environment"))


def plan_promotion(source: Installation, target: Installation, *, number: int | None = None) -> Promotion:
    """What taking the source's live override, or its version ``number``, over to the target would give.

    Raises ``Conflict`` for installations of different apps or tenants, or if nothing is live at the source.
    """
    if (source.tenant_id, source.app_id) != (target.tenant_id, target.app_id) or source.pk == target.pk:
        raise Conflict("only another environment of the same app at the same tenant can be promoted")
    version = published_config(source) if number is None else config_by_number(source, number)
    if version is None:
        raise Conflict("no override is live there; the app's defaults hold")
    override, left_out = override_of(version), dict[FieldError, None]()
    for _ in range(ROUNDS):
        errors = find_override_errors(target, override)
        if not errors:
            break
        left_out |= dict.fromkeys(errors)
        override = without_refused(override, errors)
    return Promotion(version, override, tuple(left_out))


@transaction.atomic
def promote_override(
    *,
    actor: Actor,
    source: Installation,
    target: Installation,
    number: int | None = None,
    expected_checksum: str | None,
) -> tuple[TenantAppConfig, Promotion]:
    """The target's draft says what the source's override says, as far as it may; nothing changes for apps.

    ``expected_checksum`` is that of the target's draft, ``None`` if there is none: ``StaleRevision``. Needs
    ``config.edit`` in the tenant. Errors as for ``plan_promotion`` and ``save_override``.
    """
    require(actor, "config.edit", target.tenant_id)
    promotion = plan_promotion(source, target, number=number)
    draft = save_override(
        actor=actor,
        installation=target,
        override=promotion.override,
        expected_checksum=expected_checksum,
        deed=f"Took over version {promotion.source.number} of {source.environment}",
        promoted_from=promotion.source,
    )
    return draft, promotion
