"""PostHog's ways to write a body: JSON, compressed in several ways, or as a form for beacons."""

import base64
import binascii
from typing import Final
from urllib.parse import parse_qs

from studio.api.compat.bodies import expand, read_json
from studio.api.errors import UnsupportedBody
from telemetry.core.documents import refusal

__all__ = ["decode"]

FORM: Final = b"data="
# What ``compression=`` may say. The body itself shows which of them it is.
KNOWN: Final = frozenset({"", "gzip", "gzip-js", "base64"})


def decode(content: bytes, compression: str) -> object:
    """The value in the body; ``compression`` is the parameter of the address.

    Raises ``UnsupportedBody`` for ``lz64``, which clients of before 2021 sent, and ``InvalidDocument``.
    """
    if compression not in KNOWN:
        raise UnsupportedBody("the parameter compression must be gzip, gzip-js or base64")
    content = expand(content)
    if content.startswith(FORM):
        content = _form_value(content)
    if not content.lstrip().startswith((b"{", b"[")):
        content = expand(_from_base64(content))
    return read_json(content)


def _form_value(content: bytes) -> bytes:
    try:
        values = parse_qs(content.decode("ascii"), strict_parsing=True, max_num_fields=10)
        return values["data"][0].encode()
    except (ValueError, KeyError):
        raise refusal("bad_syntax", "is not a form with the field data") from None


def _from_base64(content: bytes) -> bytes:
    # Some clients leave the plus signs of base64 as they are, which a form then reads as blanks.
    try:
        return base64.b64decode(content.strip().replace(b" ", b"+"), validate=True)
    except (binascii.Error, ValueError):
        raise refusal("bad_syntax", "is neither JSON nor base64") from None
