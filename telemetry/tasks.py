"""Jobs about events."""

from celery import shared_task
from django.utils import timezone

from telemetry.services.anomalies.evaluation import evaluate_due, forget_old_windows
from telemetry.services.forgetting import forget_old_findings, forget_old_violations
from telemetry.services.partitions import drop_partitions, ensure_partitions
from telemetry.services.quarantine.purging import purge_held_events
from telemetry.services.tallies import merge_tallies

__all__ = [
    "drop_old_partitions",
    "evaluate_anomalies",
    "forget_old_anomaly_windows",
    "forget_what_is_mended",
    "make_partitions",
    "merge_all_tallies",
    "purge_quarantine",
]


@shared_task(name="telemetry.evaluate_anomalies")
def evaluate_anomalies() -> None:
    """Every installation that is due is evaluated; running it twice, or at the same time, changes nothing more."""
    evaluate_due()


@shared_task(name="telemetry.forget_old_anomaly_windows")
def forget_old_anomaly_windows() -> None:
    """Judged windows older than ``STUDIO_ANOMALY_HISTORY_DAYS`` are gone, a slice at a time."""
    while forget_old_windows(now=timezone.now()):
        pass


@shared_task(name="telemetry.purge_quarantine")
def purge_quarantine() -> None:
    """Held events past their days are gone; running it twice, or at the same time, changes nothing more."""
    purge_held_events()


@shared_task(name="telemetry.forget_old_violations")
def forget_what_is_mended() -> None:
    """Violations and privacy findings that nobody has sent for long are gone; running it twice changes nothing more."""
    while forget_old_violations(now=timezone.now()):
        pass
    while forget_old_findings(now=timezone.now()):
        pass


@shared_task(name="telemetry.make_partitions")
def make_partitions() -> None:
    """Events of the next two weeks have a place; running it twice, or at the same time, changes nothing more."""
    ensure_partitions()


@shared_task(name="telemetry.drop_partitions")
def drop_old_partitions() -> None:
    """Tallies past their days and ids past all memory are gone; running it twice changes nothing more."""
    drop_partitions()


@shared_task(name="telemetry.merge_tallies")
def merge_all_tallies() -> None:
    """All tallies of minutes that are over are merged, slice by slice; running it twice changes nothing more."""
    while merge_tallies():
        pass
