"""Builders of values that only the SDK's tests need."""

from typing import Any

from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Accepted, Context, Dispatch, Written
from tests.core.builders import NOON

__all__ = ["make_accepted", "make_dispatch"]


def make_dispatch(event_id: str = "01936d2e-0000-7000-8000-000000000001", **fields: Any) -> Dispatch:
    """A redacted event of a known user."""
    defaults: dict[str, Any] = {
        "name": "step",
        "version": 1,
        "occurred_at": NOON,
        "properties": {"step": "verify_email", "durationMs": 2100, "userId": "REDACTED"},
        "privacy": PrivacyLevel.INTERNAL,
        "context": Context(user_id="p1_user", session_id="p1_session", tenant_id="acme"),
        "tags": (),
        "inclusion_probability": 0.25,
        "config_revision": 7,
    }
    return Dispatch(id=event_id, **{**defaults, **fields})


def make_accepted(event_id: str = "01936d2e-0000-7000-8000-000000000001", **fields: Any) -> Accepted:
    """The outcome of that event."""
    return Written(dispatch=make_dispatch(event_id, **fields), metrics={})
