"""Compressing answers ourselves: a proxy that does it would strip or weaken the ETag."""

import gzip
from functools import lru_cache
from typing import Final

__all__ = ["accepts_gzip", "compress"]

# Below this many bytes the header of gzip outweighs what it saves.
SMALLEST_BYTES: Final = 500
# Installations whose compressed config is kept by one process; a config of 100 events is about 60 kB, compressed 6 kB.
KEPT: Final = 256


def accepts_gzip(header: str) -> bool:
    """Whether ``Accept-Encoding`` admits gzip; an entry for ``gzip`` wins over ``*``, and q=0 refuses.

    A part that does not follow the grammar counts as refused. Source: RFC 9110, sections 12.4.2 and 12.5.3.
    """
    qualities = dict(_quality(part) for part in header.lower().split(",") if part.strip())
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


def _quality(part: str) -> tuple[str, float]:
    name, _, parameter = part.partition(";")
    key, _, value = parameter.strip().partition("=")
    if not parameter:
        return name.strip(), 1.0
    try:
        quality = float(value) if key.strip() == "q" else 0.0
    except ValueError:
        quality = 0.0
    return name.strip(), quality if 0 <= quality <= 1 else 0.0


def compress(body: bytes) -> bytes | None:
    """``body`` in gzip, the same bytes each time; ``None`` if it is too small to be worth it.

    Built once per process for the bodies asked for most recently.
    """
    return _compressed(body) if len(body) >= SMALLEST_BYTES else None


@lru_cache(maxsize=KEPT)
def _compressed(body: bytes) -> bytes:
    # Without the time of day, so that equal bodies compress to equal bytes.
    return gzip.compress(body, compresslevel=6, mtime=0)
