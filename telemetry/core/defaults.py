"""What holds when neither spec, blueprint nor tenant says anything: the product layer of the effective config."""

from typing import Final

from telemetry.core.enums import RetentionPolicy, UndeclaredPolicy

__all__ = [
    "DEFAULT_ANOMALY_ENABLED",
    "DEFAULT_CHECK_INTERVAL_MS",
    "DEFAULT_ENABLED",
    "DEFAULT_MASK_DETECTED",
    "DEFAULT_MINIMUM_SAMPLE",
    "DEFAULT_QUARANTINE_DAYS",
    "DEFAULT_RETENTION_DAYS",
    "DEFAULT_RETENTION_POLICY",
    "DEFAULT_SAMPLING_RATE",
    "DEFAULT_UNDECLARED",
]

# Source: the seed's example keeps events 30 days and samples none of them out.
DEFAULT_RETENTION_DAYS: Final = 30
DEFAULT_SAMPLING_RATE: Final = 1.0
# Deleting needs no archive store, and keeps no personal data by accident.
DEFAULT_RETENTION_POLICY: Final = RetentionPolicy.DELETE
# Source: the seed's example asks for 10.
DEFAULT_MINIMUM_SAMPLE: Final = 10
# Five minutes, in milliseconds: short enough to act on, long enough for quiet events to reach the minimum sample.
DEFAULT_CHECK_INTERVAL_MS: Final = 300_000
# What nobody declared, nobody has judged: it goes nowhere, and is reported.
DEFAULT_UNDECLARED: Final = UndeclaredPolicy.DROP
# A week: what breaks on a Friday can be mended on the Thursday after.
DEFAULT_QUARANTINE_DAYS: Final = 7
# Detectors are sometimes wrong, and readers would miss what they mask: who wants it says so.
DEFAULT_MASK_DETECTED: Final = False
DEFAULT_ENABLED: Final = True
DEFAULT_ANOMALY_ENABLED: Final = True
