"""How a draft from traffic is asked for, and what it looks like."""

from datetime import datetime
from typing import Annotated

import msgspec

from studio.api.shapes import Shape
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.traffic import Uncertainty
from telemetry.services.traffic_drafts import MOST_DAYS, MOST_SAMPLE, TrafficDraft

__all__ = ["InferredSpec", "InferredSpecQuery", "write_draft"]


class InferredSpecQuery(Shape, frozen=True, kw_only=True):
    """The name of the spec, and what to read: of how many days, how many events of each kind, of which event."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] = "from.traffic"
    days: Annotated[int, msgspec.Meta(ge=1, le=MOST_DAYS)] = 7
    sample: Annotated[int, msgspec.Meta(ge=1, le=MOST_SAMPLE)] = 200
    event: Annotated[str, msgspec.Meta(max_length=200)] = ""


class InferredSpec(Shape, frozen=True, kw_only=True):
    """A draft, what it was made of, and where it is not certain.

    `suspects` are properties that are marked as personal by their names or values.
    """

    spec: TelemetrySpec
    start: datetime
    end: datetime
    events_read: int
    suspects: tuple[str, ...]
    uncertainties: tuple[Uncertainty, ...]


def write_draft(draft: TrafficDraft) -> InferredSpec:
    """The draft as an answer."""
    return InferredSpec(**draft._asdict())
