"""Where a question is asked about: an installation, named as people name it."""

from contextlib import suppress
from typing import Annotated
from uuid import UUID

import msgspec

from studio.api.auth import Caller
from telemetry.core.enums import Environment
from telemetry.core.errors import FieldError, InvalidDocument, NotFound
from tenants.actors import require
from tenants.models import Installation
from tenants.selectors import installation_by_public_id, installations_in_context

__all__ = ["Place", "installation_at"]

Place = Annotated[
    str, msgspec.Meta(min_length=1, max_length=400, description="The installation's id, or TENANT/APP/ENVIRONMENT.")
]


def installation_at(caller: Caller, place: str, ability: str) -> Installation:
    """The installation, with tenant and app, if the caller has the ability there; ``NotFound`` as for one that is
    not there if the caller does not see it.

    The key of an installation opens that one alone, though its tenant may have others.
    """
    found = _find(place)
    if caller.installation is not None and caller.installation.pk != found.pk:
        raise NotFound("there is no such installation")
    require(caller.actor, ability, found.tenant_id)
    return found


def _find(place: str) -> Installation:
    parts = place.split("/")
    if len(parts) == 1:
        with suppress(ValueError):
            return installation_by_public_id(UUID(place))
    if len(parts) != 3 or "\x00" in place or parts[2] not in set(Environment):
        environments = ", ".join(Environment)
        message = f"must be an id, or TENANT/APP/ENVIRONMENT with one of {environments}"
        raise InvalidDocument([FieldError("bad_format", "installation", message)], what="call")
    rows = installations_in_context().filter(tenant__slug=parts[0], app__slug=parts[1], environment=parts[2])
    found = rows.first()
    if found is None:
        raise NotFound("there is no such installation")
    return found
