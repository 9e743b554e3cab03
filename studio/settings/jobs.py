"""How Celery runs jobs: none is lost in a crash, none runs for ever, and a silent broker holds nobody up."""

from datetime import timedelta
from ssl import CERT_REQUIRED
from typing import Any

from studio.settings import env
from studio.settings.product import STUDIO_HEARTBEAT_SECONDS, STUDIO_PURGE_MINUTES

# Seconds. Longer work is cut into slices; the soft limit leaves a task time to stop by itself.
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 90

CELERY_BROKER_URL = env.redis("REDIS_URL")
# As the cache does by itself; Kombu takes any certificate unless told not to. ``?ssl_cert_reqs=none`` in the URL wins.
CELERY_BROKER_USE_SSL = {"ssl_cert_reqs": CERT_REQUIRED} if CELERY_BROKER_URL.startswith("rediss:") else False
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
    # A task whose worker vanished is given to another after this many seconds: at least twice the longest run,
    # or a slow task would run twice.
    "visibility_timeout": 300,
    # Look for such tasks every 2 seconds: recovery took 22 s after a kill, and 120 s with the defaults.
    "unacked_restore_interval": 2,
    "unacked_restore_throttle": 1,
    # Seconds, and one attempt: a broker that accepts and never answers must not hold a request that only wants to wake
    # a worker. Workers come back by the settings below.
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "max_retries": 0,
    "socket_keepalive": True,
    "global_keyprefix": "studio:jobs:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Never give up: a worker outlives any restart of the broker.
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# What must happen is a row in the database and found by a sweep; a wake-up that fails is not worth a wait.
CELERY_TASK_PUBLISH_RETRY = False

# Acknowledged when done, so that a kill in between repeats the task instead of losing it.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000
CELERY_TASK_IGNORE_RESULT = True

# JSON only: unpickling a message that somebody slipped into the broker would run their code.
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"

# Waiting for other people's servers is a queue of its own, with workers of its own: threads, which cost little to wait.
CELERY_TASK_ROUTES = {
    name: {"queue": "dispatch"}
    for name in (
        "telemetry.deliver",
        "telemetry.forward_erasure",
        "telemetry.notify",
        "telemetry.send_proposal_notices",
        "telemetry.sweep_notifications",
    )
}

CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "heartbeat": {
        "task": "studio.heartbeat",
        "schedule": timedelta(seconds=STUDIO_HEARTBEAT_SECONDS),
        # One that waited longer than its successor says nothing: no pile after an outage.
        "options": {"expires": STUDIO_HEARTBEAT_SECONDS},
    },
    "settle planned changes": {
        "task": "tenants.settle_planned_changes",
        # Seconds: what is planned holds without it; lists, streams and the audit trail follow within this time.
        "schedule": timedelta(seconds=15),
        "options": {"expires": 15},
    },
    "sweep deliveries": {
        "task": "telemetry.sweep_deliveries",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "forget past deliveries": {
        "task": "telemetry.forget_past_deliveries",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3_600},
    },
    "sweep notifications": {
        "task": "telemetry.sweep_notifications",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    "forget past notifications": {
        "task": "telemetry.forget_past_notifications",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3_600},
    },
    "evaluate anomalies": {
        "task": "telemetry.evaluate_anomalies",
        "schedule": timedelta(seconds=30),
        "options": {"expires": 30},
    },
    # What an anomaly rule asked for; a request is a row, so that none is lost while this does not run.
    "take regeneration requests": {
        "task": "telemetry.take_regeneration_requests",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    # Evidence grows by days, not by minutes.
    "regenerate": {"task": "telemetry.regenerate", "schedule": timedelta(hours=6), "options": {"expires": 21_600}},
    "send proposal notices": {
        "task": "telemetry.send_proposal_notices",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    "measure proposals": {
        "task": "telemetry.measure_proposals",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3_600},
    },
    "forget old anomaly windows": {
        "task": "telemetry.forget_old_anomaly_windows",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3_600},
    },
    # Two weeks ahead, so that it may fail for long; often, so that what waits for a lock gets it soon.
    "make partitions": {"task": "telemetry.make_partitions", "schedule": timedelta(hours=1)},
    "drop partitions": {"task": "telemetry.drop_partitions", "schedule": timedelta(hours=6)},
    # Readers pass over what is past its end at once; what ended yesterday is gone within the first hour of the day.
    "purge events": {
        "task": "telemetry.purge_events",
        "schedule": timedelta(minutes=STUDIO_PURGE_MINUTES),
        "options": {"expires": 60 * STUDIO_PURGE_MINUTES},
    },
    "merge tallies": {
        "task": "telemetry.merge_tallies",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    # What is held past its days is passed over by readers at once, and gone within the hour.
    "purge quarantine": {"task": "telemetry.purge_quarantine", "schedule": timedelta(hours=1)},
    "sweep erasures": {
        "task": "telemetry.sweep_erasures",
        "schedule": timedelta(minutes=1),
        "options": {"expires": 60},
    },
    # What is stored openly, once it has come to be personal: counted within minutes, hidden when somebody says so.
    "notice stricter configs": {
        "task": "telemetry.notice_stricter_configs",
        "schedule": timedelta(minutes=5),
        "options": {"expires": 300},
    },
    "rescrub": {"task": "telemetry.rescrub", "schedule": timedelta(minutes=1), "options": {"expires": 60}},
    "expire archive": {
        "task": "telemetry.expire_archive",
        "schedule": timedelta(hours=1),
        "options": {"expires": 3_600},
    },
    "forget old violations": {"task": "telemetry.forget_old_violations", "schedule": timedelta(days=1)},
    "clear sessions": {"task": "studio.clear_sessions", "schedule": timedelta(days=1)},
}
