"""What PostHog's clients are told: that events arrived, and that there are no flags, surveys or recordings here."""

from typing import Any, Final

from studio.api.compat.refusals import Refusal, refusals_in
from telemetry.core.enums import EventOutcome
from telemetry.services.ingest.processed import BatchResult

__all__ = ["FLAGS", "REMOTE_CONFIG", "REMOTE_CONFIG_SCRIPT", "arrival", "results"]

# Every client of today reads "flags"; those of before 2025 the rest.
FLAGS: Final[dict[str, Any]] = {
    "flags": {},
    "featureFlags": {},
    "featureFlagPayloads": {},
    "errorsWhileComputingFlags": False,
}
# All that posthog-js would otherwise fetch code for is off, and of surveys nothing is said: also for false it fetches
# theirs. Capturing is not off, that is for the app to decide.
REMOTE_CONFIG: Final[dict[str, Any]] = {
    "supportedCompression": ["gzip", "gzip-js"],
    "hasFeatureFlags": False,
    "sessionRecording": False,
    "heatmaps": False,
    "captureDeadClicks": False,
    "capturePerformance": False,
    "autocaptureExceptions": False,
    "siteApps": [],
    "toolbarParams": {},
    "isAuthenticated": False,
    "defaultIdentifiedOnly": True,
}
# A script that sets nothing: the client then asks for the same in JSON.
REMOTE_CONFIG_SCRIPT: Final = "/* There is no configuration in a script here. */\n"


def arrival(result: BatchResult) -> dict[str, Any]:
    """The body for whoever sent a batch: taken as a whole, with what was refused for people who look."""
    refused: list[Refusal] = refusals_in(result)
    return {"status": 1, "rejected": refused} if refused else {"status": 1}


def results(result: BatchResult) -> dict[str, Any]:
    """The body of the newer protocol: a word for each event whose id is known, in the form in which it is kept."""
    found: dict[str, dict[str, str]] = {}
    for item in result.items:
        if item.event_id is None:
            continue
        if item.outcome is EventOutcome.REJECTED:
            why = "; ".join(f"{violation.path} {violation.message}".strip() for violation in item.violations)
            found[str(item.event_id)] = {"result": "drop", "details": why}
        else:
            found.setdefault(str(item.event_id), {"result": "ok"})
    return {"results": found}
