"""What the addresses of all other clients share: who may send, from where, and what is said when something is wrong."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar, Final

import msgspec
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from studio.api import denials
from studio.api.auth import Caller, caller_with_key
from studio.api.compat.events import ClientEvent, EventIds, Mapper
from studio.api.compat.origins import allow_origin, preflight, refuse_foreign_origin
from studio.api.errors import BodyTooLarge, answer_for
from studio.api.throttles import count_client_request
from studio.arrivals import events_arrived
from telemetry.core.enums import EventSource
from telemetry.core.errors import NotAllowed
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.ingest.processed import BatchResult
from telemetry.services.ingest.service import ingest_batch
from tenants.actors import require
from tenants.keys import refuse
from tenants.models import Installation
from tenants.pseudonym_key import event_id_secret

__all__ = ["ClientView", "json_answer"]

logger = logging.getLogger(__name__)

# What OpenTelemetry's collector sends at once by default is 8,192; the SDKs of all three send hundreds.
MOST_EVENTS: Final = 10_000

Reader = Callable[[datetime], Iterable[ClientEvent]]


@method_decorator([csrf_exempt, transaction.non_atomic_requests], name="dispatch")
class ClientView(View):
    """An address that a foreign client calls. No cookie plays a part, so no page can act in somebody's name.

    Knowing who asks is a transaction of its own, and so is the batch: the answer is written after its commit.
    """

    http_method_names = ["post", "options"]
    source: ClassVar[EventSource]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The answer, in the client's own terms also when something went wrong."""
        try:
            answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        except Exception as error:  # noqa: BLE001 - answered, and logged where nobody foresaw it
            answer = self.refuse(request, error)
        return allow_origin(request, answer)

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:  # noqa: ARG002 - Django's
        """What a browser asks before it sends."""
        return preflight(request)

    def refuse(self, request: HttpRequest, error: Exception) -> HttpResponse:  # noqa: ARG002 - for those who need it
        """The answer for what was raised."""
        return answer_for(error)

    def receive(self, request: HttpRequest, key: str | None, read: Reader) -> BatchResult:
        """The events that ``read`` finds are ingested for the installation of the key.

        ``read`` is given the instant at which they were received. Raises ``NotAuthenticated``, ``NotAllowed``,
        ``Throttled``, and ``BodyTooLarge`` for more than 10,000 events.
        """
        refuse_foreign_origin(request)
        with transaction.atomic():
            installation = _installation_of(request, key)
            config = config_at_ingest(installation).compiled
        received_at = timezone.now()
        mapper = Mapper(config, EventIds(event_id_secret(installation.tenant)), self.source, received_at)
        events = [mapper.map(event) for event in islice(read(received_at), MOST_EVENTS + 1)]
        if len(events) > MOST_EVENTS:
            raise BodyTooLarge(f"the body must hold at most {MOST_EVENTS} events")
        result = ingest_batch(installation=installation, events=events, received_at=received_at)
        events_arrived(self.source.value, result.counts(), result.provider_ids)
        if mapper.left_out:
            details = {"installation": installation.pk, "source": self.source.value, "values": mapper.left_out}
            logger.info("client.values_left_out", extra=details)
        return result


def json_answer(value: object) -> HttpResponse:
    """200 with this value."""
    return HttpResponse(msgspec.json.encode(value), content_type="application/json")


def _installation_of(request: HttpRequest, key: str | None) -> Installation:
    """The installation whose key it is, if the key may send events."""
    if not key:
        raise refuse("missing")
    _, caller = caller_with_key(request, key)
    count_client_request(caller.name)
    try:
        return _ingesting(caller)
    except NotAllowed as error:
        denials.remember(request, actor=caller.actor, error=error)
        raise


def _ingesting(caller: Caller) -> Installation:
    if caller.installation is None:
        raise NotAllowed("events are sent with the key of an installation", ability="event.ingest")
    require(caller.actor, "event.ingest", caller.installation.tenant_id)
    return caller.installation
