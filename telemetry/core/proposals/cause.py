"""What tells one cause from another."""

import hashlib

import msgspec

__all__ = ["cause_key"]


def cause_key(*, rule: str, spec: str, event: str, event_version: int, subject: str, installation: str = "") -> str:
    """The same 64 hex digits for the same cause, whatever evidence there is for it.

    ``installation`` is set where the change is one tenant's own.
    """
    parts = (rule, spec, event, event_version, subject, installation)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()
