"""How violations are spoken of on pages."""

from typing import Final

from django.utils.html import format_html
from django.utils.safestring import SafeString

from studio import markup
from telemetry.core.enums import ViolationCode
from telemetry.models import ViolationRecord, ViolationState
from tenants.models import Installation

__all__ = ["KINDS", "installation_words", "kind_of", "place_of", "reason_parts", "state_chip"]

KINDS: Final = {
    ViolationCode.UNKNOWN_EVENT: "unknown event",
    ViolationCode.MISSING_REQUIRED: "missing",
    ViolationCode.WRONG_TYPE: "wrong type",
    ViolationCode.NOT_ALLOWED_VALUE: "value not allowed",
    ViolationCode.UNDECLARED_PROPERTY: "undeclared",
    ViolationCode.UNDECLARED_CONTEXT: "undeclared context",
    ViolationCode.UNSAFE_VALUE: "unsafe value",
    ViolationCode.MALFORMED: "not readable",
    ViolationCode.OUTSIDE_WINDOW: "too old or too new",
    ViolationCode.DETECTED_PERSONAL_DATA: "personal data masked",
}
TONES: Final = {
    ViolationState.OPEN: "red",
    ViolationState.ACKNOWLEDGED: "amber",
    ViolationState.RESOLVED: "green",
    ViolationState.MUTED: "grey",
}


def kind_of(code: str) -> str:
    """The kind in words; of the row that counts what is too much, that."""
    return KINDS[ViolationCode(code)] if code else "more kinds than are kept"


def place_of(violation: ViolationRecord) -> str:
    """Where in the event it is, without what goes without saying."""
    return violation.path.removeprefix("properties.") if violation.path != "name" else ""


def reason_parts(reason: str) -> list[tuple[str, str]]:
    """What was wrong, as pairs of a kind in words and a place; the place is empty where there is none to name."""
    parts = (part.partition(" ") for part in reason.split("; ") if part)
    known = set(ViolationCode)
    return [
        (
            KINDS[ViolationCode(code)] if code in known else code,
            path.removeprefix("properties.") if path != "name" else "",
        )
        for code, _, path in parts
    ]


def state_chip(violation: ViolationRecord) -> SafeString:
    """What was decided; a resolved one that came back says so."""
    state = ViolationState(violation.state)
    came_back = state is ViolationState.OPEN and violation.reopened_at is not None
    return markup.chip("came back" if came_back else state.label.lower(), TONES[state])


def installation_words(installation: Installation) -> SafeString:
    """Which app at which tenant, and where it runs."""
    return format_html(
        '{} at {} <span class="quiet">{}</span>',
        installation.app.name,
        installation.tenant.name,
        installation.environment,
    )
