"""What may leave of the context around an event: pseudonyms of subjects, safe identifiers, redacted metadata."""

from collections.abc import Mapping
from typing import Any

from telemetry.core.enums import ViolationCode
from telemetry.core.events import Context, Violation
from telemetry.core.intake import is_identifier
from telemetry.core.pseudonyms import Renaming
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["protect_context"]

_NOT_AN_IDENTIFIER = "is not made of ASCII letters, digits and _ . : - only; it was left out"


def protect_context(
    context: Context, metadata: Mapping[str, Any], pseudonymiser: Renaming | None, hidden: set[str]
) -> tuple[Context, list[Violation]]:
    """The context with subject ids as pseudonyms and with this metadata: safe to store and send.

    Without a pseudonymiser, subject ids are left out. Names of tenant, organisation and channel that might be personal
    (they do not read like an identifier) are left out too, and reported as violations. Empty texts count as absent.
    The paths of all that was hidden or left out are added to ``hidden``.
    """
    violations: list[Violation] = []
    # Most fields of most events are absent: asking here costs less than asking in a call.
    tenant, organization, channel = context.tenant_id, context.organization_id, context.channel
    user, session, device, actor = context.user_id, context.session_id, context.device_id, context.actor
    protected = Context(
        tenant_id=_identifier("context.tenantId", tenant, hidden, violations) if tenant else None,
        organization_id=(
            _identifier("context.organizationId", organization, hidden, violations) if organization else None
        ),
        user_id=_subject("context.userId", user, pseudonymiser, hidden) if user else None,
        session_id=_subject("context.sessionId", session, pseudonymiser, hidden) if session else None,
        device_id=_subject("context.deviceId", device, pseudonymiser, hidden) if device else None,
        actor=_subject("context.actor", actor, pseudonymiser, hidden) if actor else None,
        channel=_identifier("context.channel", channel, hidden, violations) if channel else None,
        metadata=metadata or EMPTY_MAPPING,
    )
    return protected, violations


def _subject(path: str, value: str, pseudonymiser: Renaming | None, hidden: set[str]) -> str | None:
    hidden.add(path)
    return None if pseudonymiser is None else pseudonymiser.pseudonym(value)


def _identifier(path: str, value: str, hidden: set[str], violations: list[Violation]) -> str | None:
    if is_identifier(value):
        return value
    hidden.add(path)
    violations.append(Violation(ViolationCode.UNSAFE_VALUE, path, _NOT_AN_IDENTIFIER))
    return None
