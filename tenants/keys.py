"""The text of an API key: how it is made, read and hashed. No database here.

::

    tgs_<env>_<kind>_<lookup>_<secret><checksum>
    tgs_prd_app_8 letters_43 letters 6 letters

``env`` is ``dev``, ``stg`` or ``prd``; ``kind`` is ``app`` or ``usr``. The prefix lets scanners find leaked keys, the
checksum lets them, and us, tell a key from noise without asking the database. Letters are base 62: 0-9, A-Z, a-z.

Source: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
"""

import hashlib
import hmac
import re
import secrets
import zlib
from typing import Final, NamedTuple

from telemetry.core.enums import Environment
from telemetry.core.errors import NotAuthenticated

__all__ = ["REFUSAL", "KeyText", "digest_of", "mint", "parse", "refuse"]

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
LOOKUP_LENGTH: Final = 8
SECRET_BYTES: Final = 32
# The fewest letters that hold 32 bytes (62^43 > 2^256) and a CRC-32 (62^6 > 2^32).
SECRET_LENGTH: Final = 43
CHECKSUM_LENGTH: Final = 6

ENVIRONMENT_WORDS: Final = {
    Environment.DEVELOPMENT: "dev",
    Environment.STAGING: "stg",
    Environment.PRODUCTION: "prd",
}
FORM: Final = re.compile(
    rf"tgs_(?:dev|stg|prd)_(app|usr)_([0-9A-Za-z]{{{LOOKUP_LENGTH}}})_[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}"
)

# One message for every reason: whoever guesses must not learn how close the guess was.
REFUSAL: Final = "the API key is missing, unknown, expired or revoked"


class KeyText(NamedTuple):
    """A key's text and the parts that find it; the ``repr`` shows the lookup alone."""

    text: str
    kind: str
    lookup: str

    def __repr__(self) -> str:
        return f"KeyText({self.lookup})"


def mint(environment: Environment, kind: str) -> KeyText:
    """A new random key. A personal key belongs to no environment; by convention it says production."""
    lookup = "".join(secrets.choice(ALPHABET) for _ in range(LOOKUP_LENGTH))
    secret = _base62(int.from_bytes(secrets.token_bytes(SECRET_BYTES)), SECRET_LENGTH)
    body = f"tgs_{ENVIRONMENT_WORDS[environment]}_{kind}_{lookup}_{secret}"
    return KeyText(body + _checksum(body), kind, lookup)


def parse(text: str) -> KeyText:
    """The parts of a key whose form and checksum are right.

    Raises ``NotAuthenticated`` with the reason ``malformed`` or ``checksum``; nothing of the text is in the error.
    """
    match = FORM.fullmatch(text)
    if match is None:
        raise refuse("malformed")
    body, checksum = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    if _checksum(body) != checksum:
        raise refuse("checksum")
    return KeyText(text, match[1], match[2])


def digest_of(text: str, pepper: str) -> str:
    """What is stored instead of a key: HMAC-SHA-256 of its text under the server's pepper, in hex.

    A fast hash is right here: the secret has 256 random bits, so there is nothing to guess from a stolen digest.
    """
    return hmac.new(pepper.encode(), text.encode(), hashlib.sha256).hexdigest()


def refuse(reason: str) -> NotAuthenticated:
    """The error for a key that may not come in, with the same words for every ``reason``."""
    return NotAuthenticated(REFUSAL, reason=reason)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    letters = []
    for _ in range(length):
        number, index = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[index])
    return "".join(reversed(letters))
