"""Jobs of the project itself."""

from celery import shared_task
from django.core.management import call_command

from studio.health import record_heartbeat

__all__ = ["clear_sessions", "heartbeat"]


@shared_task(name="studio.heartbeat")
def heartbeat() -> None:
    """The cache knows that a worker took this task now; ``/readyz`` tells."""
    record_heartbeat()


@shared_task(name="studio.clear_sessions")
def clear_sessions() -> None:
    """Sessions past their end are deleted; running it twice changes nothing more."""
    call_command("clearsessions")
