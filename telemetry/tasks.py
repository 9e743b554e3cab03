"""Jobs about events."""

from celery import shared_task
from django.utils import timezone

from telemetry.services.anomalies.evaluation import evaluate_due, forget_old_windows

__all__ = ["evaluate_anomalies", "forget_old_anomaly_windows"]


@shared_task(name="telemetry.evaluate_anomalies")
def evaluate_anomalies() -> None:
    """Every installation that is due is evaluated; running it twice, or at the same time, changes nothing more."""
    evaluate_due()


@shared_task(name="telemetry.forget_old_anomaly_windows")
def forget_old_anomaly_windows() -> None:
    """Judged windows older than ``STUDIO_ANOMALY_HISTORY_DAYS`` are gone, a slice at a time."""
    while forget_old_windows(now=timezone.now()):
        pass
