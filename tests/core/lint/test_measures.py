"""Names of numbers say what they count, or leave it open."""

import pytest

from telemetry.core.lint.measures import key_metric, lacks_unit


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        *((name, True) for name in ("duration", "price", "totalDuration", "cart_size", "retryDelay", "responseTime")),
        *(
            (name, False)
            for name in ("durationMs", "duration_s", "priceEur", "waitMin", "ageDays", "sizeInBytes", "timeoutMillis")
        ),
        *((name, False) for name in ("sizeCount", "timeIndex", "ageRating", "discountRate", "heightPercent")),
        *((name, False) for name in ("count", "items", "score", "step", "timestamp", "_$", "minTemperatureCelsius")),
    ],
)
def test_a_quantity_needs_a_unit_and_a_count_does_not(name: str, expected: bool) -> None:
    assert lacks_unit(name) is expected


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("durationMs", "duration"),
        ("latency_p95", "duration"),
        ("errors", "error count"),
        ("failureCount", "error count"),
        ("conversions", "conversion"),
        ("itemCount", None),
        ("terrors", None),
    ],
)
def test_key_metrics_are_durations_error_counts_and_conversions(name: str, kind: str | None) -> None:
    assert key_metric(name) == kind
