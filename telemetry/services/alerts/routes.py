"""Alert routes: which incidents of a tenant go to which of its channels."""

import re
from typing import Final

import msgspec
from django.db import transaction

from telemetry.core.enums import AnomalyAction, Environment
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.models import AlertChannel, AlertRoute
from tenants.actors import Actor, require
from tenants.models import App, Installation
from tenants.services import audit

__all__ = ["Conditions", "add_route", "change_route", "remove_route"]

_WHAT: Final = "alert route"
_LONGEST: Final = 200
# A name of an event, or the beginning of one.
_EVENT: Final = re.compile(r"[A-Za-z0-9_.:-]{0,200}\*?\Z").match


class Conditions(msgspec.Struct, frozen=True, kw_only=True):
    """What an incident has to be for a route to take it; see ``AlertRoute``. A fallback has no conditions."""

    is_fallback: bool = False
    installation: Installation | None = None
    app: App | None = None
    environment: Environment | None = None
    event: str = ""
    rule: str = ""
    action: AnomalyAction | None = None


@transaction.atomic
def add_route(*, actor: Actor, channel: AlertChannel, conditions: Conditions) -> AlertRoute:
    """A new route to the channel, for what happens from now on.

    Needs ``alert.manage`` in the tenant. Raises ``InvalidDocument`` for a fallback with conditions, another tenant's
    installation, or a name that no event or rule can have.
    """
    require(actor, "alert.manage", channel.tenant_id)
    route = AlertRoute(tenant_id=channel.tenant_id, channel=channel)
    _set_conditions(route, conditions)
    route.save(force_insert=True)
    _record(actor, route, "added")
    return route


@transaction.atomic
def change_route(*, actor: Actor, route: AlertRoute, channel: AlertChannel, conditions: Conditions) -> AlertRoute:
    """The route has these conditions, and leads to this channel of the same tenant.

    Needs ``alert.manage`` in the tenant. Raises ``InvalidDocument``.
    """
    require(actor, "alert.manage", route.tenant_id)
    if channel.tenant_id != route.tenant_id:
        raise InvalidDocument([FieldError("not_found", "channel", "must be one of the same tenant")], what=_WHAT)
    route.channel = channel
    _set_conditions(route, conditions)
    route.save()
    _record(actor, route, "changed")
    return route


@transaction.atomic
def remove_route(*, actor: Actor, route: AlertRoute) -> None:
    """The route is gone; what was written for its channel stays. Needs ``alert.manage`` in the tenant."""
    require(actor, "alert.manage", route.tenant_id)
    _record(actor, route, "removed")
    route.delete()


def _set_conditions(route: AlertRoute, conditions: Conditions) -> None:
    errors = []
    has_conditions = msgspec.structs.replace(conditions, is_fallback=False) != Conditions()
    if conditions.is_fallback and has_conditions:
        message = "takes what no other route takes, so it has no conditions"
        errors.append(FieldError("contradiction", "isFallback", message))
    if conditions.installation is not None and conditions.installation.tenant_id != route.tenant_id:
        errors.append(FieldError("not_found", "installation", "must be one of the channel's tenant"))
    if not _EVENT(conditions.event):
        message = "must be an event's name, or the beginning of one and *"
        errors.append(FieldError("wrong_form", "event", message))
    if len(conditions.rule) > _LONGEST or UNUSABLE_CHARACTER.search(conditions.rule):
        errors.append(FieldError("wrong_form", "rule", f"must be a rule's name of at most {_LONGEST} characters"))
    if errors:
        raise InvalidDocument(errors, what=_WHAT)
    route.is_fallback = conditions.is_fallback
    route.installation, route.app = conditions.installation, conditions.app
    route.environment = "" if conditions.environment is None else conditions.environment.value
    route.event, route.rule = conditions.event, conditions.rule
    route.action = "" if conditions.action is None else conditions.action.value


def _record(actor: Actor, route: AlertRoute, deed: str) -> None:
    details = {
        "channel": str(route.channel.public_id),
        "is_fallback": route.is_fallback,
        "installation": route.installation_id,
        "app": route.app_id,
        "environment": route.environment,
        "event": route.event,
        "rule": route.rule,
        "action": route.action,
    }
    action = f"alert_route.{deed}"
    audit.record(actor=actor, action=action, target=route, tenant_id=route.tenant_id, details=details)
