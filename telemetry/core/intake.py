"""Reading the outer parts of an envelope, before anyone knows which event it is."""

import re
from datetime import UTC, datetime
from typing import Any, Final

from msgspec.structs import astuple

from telemetry.core.enums import ViolationCode
from telemetry.core.events import Context, Envelope, Violation
from telemetry.core.payload import InvalidValue, exact_text

__all__ = ["InvalidEnvelope", "has_plain_head", "is_identifier", "take_envelope"]

# Source: the grammar of ``values.Identifier``; without "@" and blanks, so that no address or person's name fits.
is_identifier = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}").fullmatch
_LARGEST_VERSION: Final = 2_147_483_647
# Document names of the text fields of a context, in the order of the fields.
_CONTEXT_TEXTS: Final = ("tenantId", "organizationId", "userId", "sessionId", "deviceId", "actor", "channel")


class InvalidEnvelope(Exception):
    """The envelope cannot be read; ``violations`` says why, without any value."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("the envelope cannot be read")
        self.violations = violations


def take_envelope(envelope: Envelope) -> Envelope:
    """The envelope with fields of exact types: texts, a version from 1, an instant in UTC.

    Properties and metadata are still as they came. Raises ``InvalidEnvelope`` with every broken rule.
    """
    if _is_plain(envelope):
        return envelope
    if type(envelope) is not Envelope:
        raise InvalidEnvelope((Violation(ViolationCode.WRONG_TYPE, "", "must be an event in an envelope"),))
    taking = _Taking()
    taken = Envelope(
        id=taking.take("id", _plain_id, envelope.id),
        name=taking.take("name", exact_text, envelope.name),
        version=None if envelope.version is None else taking.take("version", _plain_version, envelope.version),
        occurred_at=taking.take("occurredAt", _plain_instant, envelope.occurred_at),
        properties=envelope.properties,
        context=_take_context(taking, envelope.context),
    )
    if taking.violations:
        raise InvalidEnvelope(tuple(taking.violations))
    return taken


def has_plain_head(envelope: Envelope) -> bool:
    """Whether name, version and instant are as ``take_envelope`` would leave them."""
    version, instant = envelope.version, envelope.occurred_at
    return (
        type(envelope.name) is str
        and (version is None or (type(version) is int and 1 <= version <= _LARGEST_VERSION))
        and type(instant) is datetime
        and instant.tzinfo is UTC
    )


def _is_plain(envelope: Envelope) -> bool:
    """Whether nothing has to be changed, as in all that decoders and trackers make."""
    if type(envelope) is not Envelope or type(envelope.context) is not Context:
        return False
    context = envelope.context
    # Written out, as this is asked of every event: a loop over the fields takes three times as long.
    return (
        type(envelope.id) is str
        and is_identifier(envelope.id) is not None
        and has_plain_head(envelope)
        and (context.tenant_id is None or type(context.tenant_id) is str)
        and (context.organization_id is None or type(context.organization_id) is str)
        and (context.user_id is None or type(context.user_id) is str)
        and (context.session_id is None or type(context.session_id) is str)
        and (context.device_id is None or type(context.device_id) is str)
        and (context.actor is None or type(context.actor) is str)
        and (context.channel is None or type(context.channel) is str)
    )


class _Taking:
    """Reads fields and keeps the violations; a field that cannot be read is ``None``."""

    __slots__ = ("violations",)

    def __init__(self) -> None:
        self.violations: list[Violation] = []

    def take(self, path: str, read: Any, value: Any) -> Any:
        try:
            return read(value)
        except InvalidValue as invalid:
            self.violations.append(Violation(invalid.code, path, invalid.message))
            return None


def _take_context(taking: _Taking, context: Context) -> Context:
    if type(context) is not Context:
        taking.violations.append(Violation(ViolationCode.WRONG_TYPE, "context", "must be a context"))
        return Context()
    *texts, metadata = astuple(context)
    taken = [
        None if text is None else taking.take(f"context.{field}", exact_text, text)
        for field, text in zip(_CONTEXT_TEXTS, texts, strict=True)
    ]
    tenant_id, organization_id, user_id, session_id, device_id, actor, channel = taken
    return Context(
        tenant_id=tenant_id,
        organization_id=organization_id,
        user_id=user_id,
        session_id=session_id,
        device_id=device_id,
        actor=actor,
        channel=channel,
        metadata=metadata,
    )


def _plain_id(value: Any) -> str:
    text = exact_text(value)
    if is_identifier(text) is None:
        raise InvalidValue(
            ViolationCode.UNSAFE_VALUE, "must be a UUID, or 1 to 128 ASCII letters, digits and any of _ . : -"
        )
    return text


def _plain_version(value: Any) -> int:
    if type(value) is int and 1 <= value <= _LARGEST_VERSION:
        return value
    raise InvalidValue(ViolationCode.WRONG_TYPE, "must be a whole number from 1")


def _plain_instant(value: Any) -> datetime:
    """The instant in UTC, as an exact ``datetime``."""
    if type(value) is datetime and value.tzinfo is UTC:
        return value
    if not issubclass(type(value), datetime):
        raise InvalidValue(ViolationCode.WRONG_TYPE, "must be an instant")
    try:
        if value.utcoffset() is not None:
            instant = value.astimezone(UTC)
            return datetime.combine(instant.date(), instant.time(), UTC)
    except Exception:  # noqa: BLE001 - zones are foreign code, which may raise anything
        raise InvalidValue(ViolationCode.UNSAFE_VALUE, "must be an instant from year 1 to 9999 in UTC") from None
    raise InvalidValue(ViolationCode.WRONG_TYPE, "must carry a zone")
