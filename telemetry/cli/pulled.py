"""The comment on top of a spec file that says which state of the draft it was pulled from."""

import re
from typing import Final, NamedTuple

from telemetry.core.codec import checksum, decode_spec
from telemetry.core.errors import InvalidDocument

__all__ = ["Pulled", "is_unchanged", "read_pulled", "with_pulled"]

_LINE: Final = re.compile(
    r"# pulled from (?P<url>\S+): draft (?P<tag>\"[0-9]{1,20}\"), spec sha256:(?P<checksum>[0-9a-f]{64})\r?\n"
)


class Pulled(NamedTuple):
    """Address of the studio, tag of the draft, and checksum of the spec, as they were."""

    url: str
    tag: str
    checksum: str


def read_pulled(document: bytes) -> Pulled | None:
    """What the first line of the document says; ``None`` if it was not pulled."""
    found = _LINE.match(document.decode("utf-8-sig", errors="replace"))
    return Pulled(found["url"], found["tag"], found["checksum"]) if found is not None else None


def with_pulled(document: bytes, pulled: Pulled) -> bytes:
    """The document with this on its first line, in place of what such a line said before."""
    text = document.decode("utf-8-sig")
    before = _LINE.match(text)
    rest = text[before.end() :] if before is not None else text
    line = f"# pulled from {pulled.url}: draft {pulled.tag}, spec sha256:{pulled.checksum}\n"
    return (line + rest).encode()


def is_unchanged(document: bytes) -> bool:
    """Whether the document still says what it said when it was pulled."""
    pulled = read_pulled(document)
    try:
        return pulled is not None and checksum(decode_spec(document)) == pulled.checksum
    except InvalidDocument:
        return False
