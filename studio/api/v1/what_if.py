"""What a draft or an override would have done to the events of the last days."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.shapes import Shape
from studio.api.v1.base import ApiView
from studio.api.v1.installations.configs import installation_for
from telemetry.services.what_if.asking import Consequences, WhatIf, what_if_draft, what_if_override
from telemetry.services.what_if.replaying import Change, EventConsequence
from tenants.mappers import override_of
from tenants.selectors import config_by_number

__all__ = ["ConfigWhatIfView", "SpecWhatIfView", "WhatIfAnswer", "write_what_if"]


class NumberChange(Shape, frozen=True, kw_only=True):
    """A number as it is, and as it would be."""

    before: int
    after: int


class EventWhatIf(Shape, frozen=True, kw_only=True):
    """One event: all are counts of events but ``hidden``, of values, and ``incidents``, null if no rule changes.

    It was tried on ``sample`` events, without one on rates alone.
    """

    name: str
    version: int
    received: int
    kept: NumberChange
    hidden: NumberChange
    violating: NumberChange
    rejected: NumberChange
    incidents: NumberChange | None
    sample: int


class InstallationWhatIf(Shape, frozen=True, kw_only=True):
    """One installation; ``purged`` counts rows that the next purge removes, null if no retention changes."""

    installation: UUID
    tenant: str
    app: str
    environment: str
    purged: NumberChange | None
    events: tuple[EventWhatIf, ...]


class WhatIfAnswer(Shape, frozen=True, kw_only=True):
    """Installations at which something would have been different in the last ``days``, the busiest first.

    ``lookedAt`` counts those that were tried; ``others`` says that less busy ones were not.
    """

    days: int
    looked_at: int
    others: bool
    installations: tuple[InstallationWhatIf, ...]


class SpecWhatIfView(ApiView):
    """``/api/v1/specs/{name}/what-if``."""

    @extend_schema(operation_id="getSpecWhatIf", responses=WhatIfAnswer)
    def get(self, request: Request, name: str) -> Response:
        """The last days once more, as if the draft had been published: nothing is changed by asking.

        Needs the ability `view` in the workspace.
        """
        return Response(write_what_if(what_if_draft(actor=actor_of(request), spec_name=name)))


class ConfigWhatIfView(ApiView):
    """``/api/v1/installations/{installationId}/config/versions/{number}/what-if``."""

    @extend_schema(operation_id="getConfigWhatIf", responses=WhatIfAnswer)
    def get(self, request: Request, installation_id: UUID, number: int) -> Response:
        """The last days once more, as if this version of the override had been live. Needs `view` in the tenant.

        `409` while no published spec is bound.
        """
        installation = installation_for(request, "view", installation_id)
        override = override_of(config_by_number(installation, number))
        found = what_if_override(actor=actor_of(request), installation=installation, override=override)
        return Response(write_what_if(found))


def write_what_if(found: WhatIf) -> WhatIfAnswer:
    return WhatIfAnswer(
        days=found.days,
        looked_at=found.looked_at,
        others=found.others,
        installations=tuple(map(_write_installation, found.items)),
    )


def _write_installation(item: Consequences) -> InstallationWhatIf:
    place = item.installation
    return InstallationWhatIf(
        installation=place.public_id,
        tenant=place.tenant.slug,
        app=place.app.slug,
        environment=place.environment,
        purged=_write_change(item.purged),
        events=tuple(map(_write_event, item.events)),
    )


def _write_event(event: EventConsequence) -> EventWhatIf:
    return EventWhatIf(
        name=event.name,
        version=event.version,
        received=event.received,
        kept=NumberChange(**event.kept._asdict()),
        hidden=NumberChange(**event.hidden._asdict()),
        violating=NumberChange(**event.violating._asdict()),
        rejected=NumberChange(**event.rejected._asdict()),
        incidents=_write_change(event.incidents),
        sample=event.sample,
    )


def _write_change(change: Change | None) -> NumberChange | None:
    return None if change is None else NumberChange(**change._asdict())
