"""How privacy findings are spoken of on pages."""

from typing import Any, Final

from django.db.models import QuerySet
from django.utils.safestring import SafeString

from studio import markup
from telemetry.core.enums import RedactionStrategy
from telemetry.detection.detector import SUGGESTIONS, Detector
from telemetry.models import FindingState
from telemetry.selectors.privacy_findings import open_kinds
from tenants.actors import Actor

__all__ = [
    "DETECTOR_WORDS",
    "STRATEGY_WORDS",
    "detector_chip",
    "finding_state_chip",
    "share_words",
    "suggestion_words",
    "waiting_findings",
]

DETECTOR_WORDS: Final = {
    Detector.EMAIL: "E-mail",
    Detector.PHONE: "Phone number",
    Detector.PAYMENT_CARD: "Payment card",
    Detector.IBAN: "Bank account",
    Detector.IP_ADDRESS: "IP address",
    Detector.SECRET: "Secret",
    Detector.COORDINATES: "Coordinates",
    Detector.NATIONAL_ID: "National id",
    Detector.PERSONAL_NAME: "Personal name",
}
STRATEGY_WORDS: Final = {
    RedactionStrategy.MASK: "masked",
    RedactionStrategy.DROP: "dropped",
    RedactionStrategy.GENERALISE: "generalised",
}
TONES: Final = {
    FindingState.OPEN: "red",
    FindingState.SNOOZED: "blue",
    FindingState.ACCEPTED: "green",
    FindingState.DISMISSED: "grey",
}


def detector_chip(detector: Detector) -> SafeString:
    """What was recognised, on the tone of the class that it belongs to."""
    return markup.chip(DETECTOR_WORDS[detector], markup.PRIVACY_TONES[SUGGESTIONS[detector].level])


def finding_state_chip(state: str, *, came_back: bool = False) -> SafeString:
    """What was decided; one that came back says so."""
    known = FindingState(state)
    word = "came back" if came_back and known is FindingState.OPEN else known.label.lower()
    return markup.chip(word, TONES[known])


def share_words(share: float) -> str:
    """A share in whole percent; less than one of a hundred is not nothing."""
    return "under 1 %" if 0 < share < 0.01 else f"{share:.0%}".replace("%", " %")


def suggestion_words(detector: Detector) -> str:
    """How its value is best hidden, and the class that it belongs to."""
    suggestion = SUGGESTIONS[detector]
    return f"{suggestion.level}, {STRATEGY_WORDS[suggestion.strategy]}"


def waiting_findings(actor: Actor) -> QuerySet[Any, Any] | None:
    """The findings that wait for this person; ``None`` for who may not decide."""
    return open_kinds() if actor.can_somewhere("finding.decide") else None
