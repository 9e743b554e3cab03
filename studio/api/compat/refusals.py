"""What is said of events that were refused: where, by which rule, and never a value."""

from typing import Any, Final

from telemetry.core.enums import EventOutcome
from telemetry.services.ingest.processed import BatchResult

__all__ = ["Refusal", "refusals_in"]

Refusal = dict[str, Any]

# More than anybody reads; the answer to a batch must not outgrow the batch.
MOST_SHOWN: Final = 100


def refusals_in(result: BatchResult) -> list[Refusal]:
    """The first hundred refused events: their place in the batch, and each broken rule."""
    refused = [(place, item) for place, item in enumerate(result.items) if item.outcome is EventOutcome.REJECTED]
    return [{"index": place, "violations": item.violations} for place, item in refused[:MOST_SHOWN]]
