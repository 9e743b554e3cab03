"""Jobs about events."""

from celery import shared_task
from django.utils import timezone

from telemetry.services.access.collecting import collect, due_exports
from telemetry.services.access.requests import expire_exports
from telemetry.services.alerts.delivering import due_channels, forget_old_notifications, notify_once
from telemetry.services.alerts.digests import gather_digests
from telemetry.services.alerts.lateness import tell_lateness
from telemetry.services.anomalies.evaluation import evaluate_due, forget_old_windows
from telemetry.services.archiving.expiring import expire_files, remove_leftovers
from telemetry.services.deliveries.delivering import deliver_once, due_providers, forget_old_deliveries
from telemetry.services.erasure.forwarding import due_forwards, forward
from telemetry.services.erasure.marks import forget_ended_marks
from telemetry.services.erasure.working import due_requests, work_on
from telemetry.services.event_use import forget_old_uses
from telemetry.services.forgetting import forget_old_findings, forget_old_violations
from telemetry.services.partitions import drop_partitions, ensure_partitions
from telemetry.services.proposals.measuring import measure_proposals
from telemetry.services.proposals.notices import forget_old_notices, send_notices
from telemetry.services.purging.service import purge
from telemetry.services.quarantine.purging import purge_held_events
from telemetry.services.regeneration.running import regenerate, take_requests
from telemetry.services.rescrubbing.watching import notice_stricter_configs
from telemetry.services.rescrubbing.working import carry_on_runs
from telemetry.services.tallies import merge_tallies
from telemetry.services.what_if.sampling import forget_samples

__all__ = [
    "collect_access",
    "deliver",
    "drop_old_partitions",
    "erase",
    "evaluate_anomalies",
    "expire_archive",
    "forget_old_anomaly_windows",
    "forget_past_deliveries",
    "forget_past_notifications",
    "forget_what_is_mended",
    "forward_erasure",
    "make_partitions",
    "measure_promises",
    "merge_all_tallies",
    "notice_what_is_stored_openly",
    "notify",
    "purge_events",
    "purge_quarantine",
    "regenerate_proposals",
    "rescrub",
    "send_proposal_notices",
    "sweep_deliveries",
    "sweep_erasures",
    "sweep_notifications",
    "take_regeneration_requests",
]


@shared_task(name="telemetry.evaluate_anomalies")
def evaluate_anomalies() -> None:
    """Every installation that is due is evaluated; running it twice, or at the same time, changes nothing more."""
    try:
        evaluate_due()
    finally:
        # Also when one installation failed: what happened at the others is told.
        _wake_channels()


@shared_task(name="telemetry.take_regeneration_requests")
def take_regeneration_requests() -> None:
    """Every incident that asked for a proposal was answered once; running it twice changes nothing more."""
    while take_requests():
        pass


@shared_task(name="telemetry.regenerate")
def regenerate_proposals() -> None:
    """What adapters notice is in proposals, one per cause; running it twice adds evidence and no second proposal."""
    regenerate()


@shared_task(name="telemetry.send_proposal_notices")
def send_proposal_notices() -> None:
    """The web hook was called for every acceptance that it is owed and that is due; running it twice sends none twice
    that was not in doubt."""
    send_notices()


@shared_task(name="telemetry.measure_proposals")
def measure_promises() -> None:
    """Published proposals say whether their promise holds so far; running it twice changes nothing more."""
    measure_proposals()


@shared_task(name="telemetry.forget_old_anomaly_windows")
def forget_old_anomaly_windows() -> None:
    """Judged windows older than ``STUDIO_ANOMALY_HISTORY_DAYS`` are gone, a slice at a time."""
    while forget_old_windows(now=timezone.now()):
        pass


@shared_task(name="telemetry.purge_quarantine")
def purge_quarantine() -> None:
    """Held and sampled events past their time are gone; running it twice, or at the same time, changes nothing more."""
    purge_held_events()
    forget_samples()


@shared_task(name="telemetry.forget_old_violations")
def forget_what_is_mended() -> None:
    """Violations, privacy findings and reads of long ago are gone; running it twice changes nothing more."""
    while forget_old_violations(now=timezone.now()):
        pass
    while forget_old_findings(now=timezone.now()):
        pass
    forget_old_uses(now=timezone.now())
    while forget_old_notices(now=timezone.now()):
        pass


@shared_task(name="telemetry.make_partitions")
def make_partitions() -> None:
    """Events of the next two weeks have a place; running it twice, or at the same time, changes nothing more."""
    ensure_partitions()


@shared_task(name="telemetry.drop_partitions")
def drop_old_partitions() -> None:
    """Tallies past their days and ids past all memory are gone; running it twice changes nothing more."""
    drop_partitions()


@shared_task(name="telemetry.purge_events")
def purge_events() -> None:
    """Stored events whose time is over are gone, or their run waits for approval; calls itself for what is left.

    Running it twice, at the same time, or after a kill removes nothing more.
    """
    if purge():
        purge_events.apply_async()


@shared_task(name="telemetry.merge_tallies")
def merge_all_tallies() -> None:
    """All tallies of minutes that are over are merged, slice by slice; running it twice changes nothing more."""
    while merge_tallies():
        pass


@shared_task(name="telemetry.deliver")
def deliver(provider_id: int) -> None:
    """One call's worth of what the provider is owed is there, or it rests; calls itself for what is left.

    One round at a time, so that providers with much to do leave room for the others. Running it twice, or at the same
    time, sends nothing twice that was not in doubt.
    """
    seconds = deliver_once(provider_id)
    if seconds is not None:
        deliver.apply_async((provider_id,), countdown=seconds)


@shared_task(name="telemetry.sweep_deliveries")
def sweep_deliveries() -> None:
    """Workers know of every provider that is owed something, also when the call after a commit was lost."""
    for provider_id in due_providers(timezone.now()):
        deliver.apply_async((provider_id,))


@shared_task(name="telemetry.forget_past_deliveries")
def forget_past_deliveries() -> None:
    """Deliveries and dead letters past their days are gone, slice by slice; running it twice changes nothing more."""
    while forget_old_deliveries(timezone.now()):
        pass


@shared_task(name="telemetry.notify")
def notify(channel_id: int) -> None:
    """The channel's oldest notification is there, or the channel rests; calls itself for what is left.

    Running it twice, or at the same time, sends nothing twice that was not in doubt.
    """
    if notify_once(channel_id):
        notify.apply_async((channel_id,))


@shared_task(name="telemetry.sweep_notifications")
def sweep_notifications() -> None:
    """Summaries that are due wait, tenants know if nobody judges their rules, and workers of what is to be sent.

    It runs where notifications are sent, so that it does not hang on those who judge. Running it twice, or at the same
    time, changes nothing more.
    """
    now = timezone.now()
    tell_lateness(now)
    gather_digests(now)
    _wake_channels()


@shared_task(name="telemetry.forget_past_notifications")
def forget_past_notifications() -> None:
    """Notifications past their days are gone, slice by slice; running it twice changes nothing more."""
    while forget_old_notifications(timezone.now()):
        pass


def _wake_channels() -> None:
    for channel_id in due_channels(timezone.now()):
        notify.apply_async((channel_id,))


@shared_task(name="telemetry.erase")
def erase(request_id: int) -> None:
    """One step of the erasure request is done; calls itself for what is left.

    Running it twice, or at the same time, changes nothing more; killed, the sweep begins the step anew.
    """
    seconds = work_on(request_id)
    for forward_id in due_forwards(timezone.now(), request_id):
        forward_erasure.apply_async((forward_id,))
    if seconds is not None:
        erase.apply_async((request_id,), countdown=seconds)


@shared_task(name="telemetry.forward_erasure")
def forward_erasure(forward_id: int) -> None:
    """The provider is told, or it is noted why not; running it twice tells it once, unless the first time is in doubt.

    The other end may take its time, so this has the queue of deliveries.
    """
    forward(forward_id)


@shared_task(name="telemetry.collect_access")
def collect_access(export_id: int) -> None:
    """One step of the access export is done; calls itself for what is left. Running it twice adds nothing twice."""
    if collect(export_id):
        collect_access.apply_async((export_id,))


@shared_task(name="telemetry.sweep_erasures")
def sweep_erasures() -> None:
    """Workers know of every request that waits for them, and what is past its end is gone, slice by slice."""
    now = timezone.now()
    for request_id in due_requests(now):
        erase.apply_async((request_id,))
    for forward_id in due_forwards(now):
        forward_erasure.apply_async((forward_id,))
    for export_id in due_exports():
        collect_access.apply_async((export_id,))
    while expire_exports(now=now):
        pass
    while forget_ended_marks(now=now):
        pass


@shared_task(name="telemetry.expire_archive")
def expire_archive() -> None:
    """Archived files past their time are gone, and what nobody needs of others; running it twice changes nothing."""
    expire_files()
    while remove_leftovers():
        pass


@shared_task(name="telemetry.notice_stricter_configs")
def notice_what_is_stored_openly() -> None:
    """Where a config has come to hide more, what is stored is counted; running it twice asks nothing more."""
    notice_stricter_configs(now=timezone.now())


@shared_task(name="telemetry.rescrub")
def rescrub() -> None:
    """Every run that can be carried on is, a step each; calls itself for what is left.

    Running it twice, or at the same time, hides and counts nothing twice.
    """
    if carry_on_runs():
        rescrub.apply_async()
