"""Compressing answers ourselves: a proxy that does it would strip or weaken the ETag."""

import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import zstandard

__all__ = ["PACKERS", "SMALLEST_BYTES", "choose_coding"]

# Below this many bytes the header of gzip outweighs what it saves.
SMALLEST_BYTES: Final = 500


def pack_gzip(body: bytes) -> bytes:
    """``body`` in gzip; equal bodies give equal bytes, since the time of day is left out."""
    return gzip.compress(body, compresslevel=6, mtime=0)


def pack_zstd(body: bytes) -> bytes:
    """``body`` as one frame of Zstandard, with its size in the frame's header; equal bodies give equal bytes."""
    # Level 3 is as small as gzip's level 6 here, in a fifth of the time. A compressor serves one thread only.
    return zstandard.ZstdCompressor(level=3).compress(body)


# By content coding, best first: of codings that a client likes alike, the first is taken.
PACKERS: Final[Mapping[str, Callable[[bytes], bytes]]] = {"zstd": pack_zstd, "gzip": pack_gzip}
ALIASES: Final = {"x-gzip": "gzip"}


@lru_cache(maxsize=256)
def choose_coding(header: str) -> str | None:
    """The coding of ``PACKERS`` that ``Accept-Encoding`` likes best; ``None`` if it admits none of them.

    An entry for a coding wins over ``*``, and q=0 refuses. A part that does not follow the grammar counts as refused.
    Source: RFC 9110, sections 12.4.2 and 12.5.3.
    """
    qualities = dict(_quality(part) for part in header.lower().split(",") if part.strip())
    wishes = {coding: qualities.get(coding, qualities.get("*", 0.0)) for coding in PACKERS}
    best = max(wishes, key=wishes.__getitem__)
    return best if wishes[best] > 0 else None


def _quality(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    coding = ALIASES.get(name.strip(), name.strip())
    key, _, value = parameter.strip().partition("=")
    if not parameter:
        return coding, 1.0
    try:
        quality = float(value) if key.strip() == "q" else 0.0
    except ValueError:
        quality = 0.0
    return coding, quality if 0 <= quality <= 1 else 0.0
