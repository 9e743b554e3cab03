"""What tests of the purge share."""

from tests.telemetry.counting import counts_stay_true

__all__ = ["counts_stay_true"]
