"""E-mail addresses in text."""

import re
from typing import Final

from telemetry.core.lint.words import word_set

__all__ = ["has_email"]

# Source: the "dot-atom" of RFC 5322, section 3.2.3, with letters of all languages (RFC 6531); "%40" is the sign in
# addresses of web pages. Parts are bounded (RFC 5321, section 4.5.3.1), so that no text takes long.
_CANDIDATE: Final = re.compile(
    r"(?<![\w.%+-])(?P<local>[\w.!#$&'*+/=?^`{|}~-]{1,64})(?:@|%40)"
    r"(?P<domain>(?:[\w-]{1,63}\.){1,8}(?P<top>[^\W\d_]{2,24}|xn--[a-z0-9-]{2,59}))(?![\w-])",
    re.IGNORECASE,
)
# "logo@2x.png" is a file; names under these last parts are those of machines at home.
_NO_TOP: Final = word_set(
    "png jpg jpeg gif svg webp avif ico pdf js mjs css map json xml html woff ttf mp3 mp4 zip gz",
    "local localdomain localhost internal intranet lan invalid",
)
# "https://user:password@host.example": what is before the sign lets somebody in, and is no mailbox.
_USER_INFO: Final = re.compile(r"://[^/\s]*\Z")


def has_email(text: str) -> bool:
    """Whether the text holds the address of a mailbox."""
    return any(_is_mailbox(text, found) for found in _CANDIDATE.finditer(text))


def _is_mailbox(text: str, found: re.Match[str]) -> bool:
    local = found["local"].strip("'")
    if not local or local[0] == "." or local[-1] == "." or ".." in local:
        return False
    if found["top"].lower() in _NO_TOP or _USER_INFO.search(text, 0, found.start()):
        return False
    # "git@host:path", the address of a repository.
    return not text.startswith(":", found.end()) or local != "git"
