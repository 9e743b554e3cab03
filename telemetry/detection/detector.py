"""What can be recognised in a value, and what is suggested where it is found."""

from enum import StrEnum
from typing import Final, NamedTuple

from telemetry.core.enums import PrivacyLevel, RedactionStrategy

__all__ = ["SUGGESTIONS", "Detector", "Suggestion"]


class Detector(StrEnum):
    """A kind of personal data or secret that is recognised by its form; ``personal_name`` by a property's name."""

    EMAIL = "email"
    PHONE = "phone"
    PAYMENT_CARD = "payment_card"
    IBAN = "iban"
    IP_ADDRESS = "ip_address"
    SECRET = "secret"  # noqa: S105 - the word
    COORDINATES = "coordinates"
    NATIONAL_ID = "national_id"
    PERSONAL_NAME = "personal_name"

    @property
    def words(self) -> str:
        """What was found, inside a sentence."""
        return _WORDS[self]


class Suggestion(NamedTuple):
    """The least class of an event that may carry it, and how its value is best hidden."""

    level: PrivacyLevel
    strategy: RedactionStrategy


_WORDS: Final = {
    Detector.EMAIL: "an e-mail address",
    Detector.PHONE: "a phone number",
    Detector.PAYMENT_CARD: "a payment card number",
    Detector.IBAN: "a bank account number",
    Detector.IP_ADDRESS: "an IP address",
    Detector.SECRET: "a token or another secret",
    Detector.COORDINATES: "a place on the map",
    Detector.NATIONAL_ID: "a national identity number",
    Detector.PERSONAL_NAME: "a name that reads like personal data",
}
# What lets somebody in or takes money is of no use to readers in any form: it is left out. Of an address on the
# internet the network is enough for most questions; for the rest a mask says at least that there was a value.
SUGGESTIONS: Final = {
    Detector.EMAIL: Suggestion(PrivacyLevel.PII, RedactionStrategy.MASK),
    Detector.PHONE: Suggestion(PrivacyLevel.PII, RedactionStrategy.MASK),
    Detector.PAYMENT_CARD: Suggestion(PrivacyLevel.SENSITIVE, RedactionStrategy.DROP),
    Detector.IBAN: Suggestion(PrivacyLevel.SENSITIVE, RedactionStrategy.DROP),
    Detector.IP_ADDRESS: Suggestion(PrivacyLevel.PII, RedactionStrategy.GENERALISE),
    Detector.SECRET: Suggestion(PrivacyLevel.SENSITIVE, RedactionStrategy.DROP),
    Detector.COORDINATES: Suggestion(PrivacyLevel.SENSITIVE, RedactionStrategy.MASK),
    Detector.NATIONAL_ID: Suggestion(PrivacyLevel.SENSITIVE, RedactionStrategy.DROP),
    Detector.PERSONAL_NAME: Suggestion(PrivacyLevel.PII, RedactionStrategy.MASK),
}
