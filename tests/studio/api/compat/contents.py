"""Bodies in tests: compressed the same each time, and named shortly."""

import gzip

__all__ = ["short", "zipped"]


def zipped(content: bytes) -> bytes:
    """The content in gzip, without the time of day: tests are told apart by their parameters."""
    return gzip.compress(content, mtime=0)


def short(value: object) -> str | None:
    """The name of a parameter: text as it is, of bytes how many they are."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else None
