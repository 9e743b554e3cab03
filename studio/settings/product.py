"""Settings of the product itself: each is an environment variable ``STUDIO_...`` that carries its unit in its name."""

from studio.settings import env

__all__ = [
    "STUDIO_ACCESS_EXPORT_DAYS",
    "STUDIO_ANOMALY_HISTORY_DAYS",
    "STUDIO_ANOMALY_LAG_SECONDS",
    "STUDIO_API_KEY_PEPPER",
    "STUDIO_ARCHIVE_DAYS",
    "STUDIO_ARCHIVE_DIR",
    "STUDIO_ARCHIVE_S3_ACCESS_KEY",
    "STUDIO_ARCHIVE_S3_BUCKET",
    "STUDIO_ARCHIVE_S3_ENDPOINT",
    "STUDIO_ARCHIVE_S3_PREFIX",
    "STUDIO_ARCHIVE_S3_REGION",
    "STUDIO_ARCHIVE_S3_SECRET_KEY",
    "STUDIO_CLIENT_ORIGINS",
    "STUDIO_CLIENT_REQUESTS_PER_MINUTE",
    "STUDIO_CONFIG_POLL_SECONDS",
    "STUDIO_CONFIG_STALE_SECONDS",
    "STUDIO_CREDENTIAL_KEYS",
    "STUDIO_DATABASE_ROLE",
    "STUDIO_DEAD_LETTER_DAYS",
    "STUDIO_DELIVERY_DAYS",
    "STUDIO_DELIVERY_RETRY_HOURS",
    "STUDIO_EVENT_MAXIMUM_AGE_DAYS",
    "STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE",
    "STUDIO_HEARTBEAT_SECONDS",
    "STUDIO_INGEST_MAX_BYTES",
    "STUDIO_INSECURE_LOCAL",
    "STUDIO_METRICS_DIR",
    "STUDIO_METRICS_TOKEN",
    "STUDIO_OUTGOING_ALLOW",
    "STUDIO_PROPOSAL_HOOK_SECRET",
    "STUDIO_PROPOSAL_HOOK_URL",
    "STUDIO_PSEUDONYM_KEY",
    "STUDIO_PUBLIC_URL",
    "STUDIO_PURGE_APPROVAL_ROWS",
    "STUDIO_PURGE_MINUTES",
    "STUDIO_QUARANTINE_KEYS",
    "STUDIO_QUARANTINE_MAX_EVENTS",
    "STUDIO_RECEIPT_KEYS",
    "STUDIO_REQUESTS_PER_MINUTE",
    "STUDIO_REQUEST_MAX_BYTES",
    "STUDIO_REVIEW_REQUIRED",
    "STUDIO_SAMPLE_HOURS",
    "STUDIO_STREAMS_PER_KEY",
    "STUDIO_STREAMS_PER_PROCESS",
    "STUDIO_TALLY_DAYS",
    "STUDIO_TRUSTED_PROXY_COUNT",
]

# Secret that API keys are hashed with: whoever reads the database alone cannot guess keys.
STUDIO_API_KEY_PEPPER = env.text("STUDIO_API_KEY_PEPPER", "")

# Secret from which each tenant's pseudonym key is derived.
STUDIO_PSEUDONYM_KEY = env.text("STUDIO_PSEUDONYM_KEY", "")

# Secrets under which refused events are held, comma separated: the first one seals, all of them open. Without one, none
# is held, whatever specs say.
STUDIO_QUARANTINE_KEYS = env.text_list("STUDIO_QUARANTINE_KEYS")

# How many refused events of one installation are held at once.
STUDIO_QUARANTINE_MAX_EVENTS = env.integer("STUDIO_QUARANTINE_MAX_EVENTS", 10_000, minimum=1)

# How long a few of the events that come in are kept, sealed and without what is hidden of them, so that changes can be
# tried on them; 0 for not at all.
STUDIO_SAMPLE_HOURS = env.integer("STUDIO_SAMPLE_HOURS", 24, minimum=0, maximum=168)

# Secrets under which credentials of providers are kept, comma separated: the first one seals, all of them open. Without
# one, no credential can be saved.
STUDIO_CREDENTIAL_KEYS = env.text_list("STUDIO_CREDENTIAL_KEYS")

# Secrets from which the keys are made that sign receipts of deletion, comma separated: the first one signs. Without
# one, the key is made from SECRET_KEY.
STUDIO_RECEIPT_KEYS = env.text_list("STUDIO_RECEIPT_KEYS")

# What web and workers become after they connect; it owns nothing, so row-level security binds it.
STUDIO_DATABASE_ROLE = env.text("STUDIO_DATABASE_ROLE", "studio_app")

# Plain HTTP for a studio that only this machine can reach. Only `manage.py up` sets it.
STUDIO_INSECURE_LOCAL = env.boolean("STUDIO_INSECURE_LOCAL", False)

# How often a tracker asks for its config when it is not told sooner: within the 60 seconds that the web server keeps an
# idle connection open.
STUDIO_CONFIG_POLL_SECONDS = env.integer("STUDIO_CONFIG_POLL_SECONDS", 45, minimum=1)

# How old a config may be that is answered while the database is away. 0: none is answered then.
STUDIO_CONFIG_STALE_SECONDS = env.integer("STUDIO_CONFIG_STALE_SECONDS", 0, maximum=3600)

# Largest request body. A spec of 1,000 events with 20 properties each is about 2 MB of JSON.
STUDIO_REQUEST_MAX_BYTES = env.integer("STUDIO_REQUEST_MAX_BYTES", 4_194_304, minimum=1024)

# How old an event may be when it arrives: so long can an app be offline. Its id is remembered for as long, and ids that
# do not tell their day are remembered by calendar months, the shortest of which is four weeks.
STUDIO_EVENT_MAXIMUM_AGE_DAYS = env.integer("STUDIO_EVENT_MAXIMUM_AGE_DAYS", 28, minimum=1, maximum=28)

# Largest batch of events, compressed or not: 1,000 events of 5 kB each.
STUDIO_INGEST_MAX_BYTES = env.integer("STUDIO_INGEST_MAX_BYTES", 5_242_880, minimum=1024)

# How long tallies are kept by the minute: what anomaly rules learn from. Counts by the day stay for good.
STUDIO_TALLY_DAYS = env.integer("STUDIO_TALLY_DAYS", 90, minimum=35)

# Which publications of specs need the approval of exactly what is published. personal_data: those that change events at
# level pii or sensitive, or protect less than before; never: none, for somebody who works alone.
STUDIO_REVIEW_REQUIRED = env.text(
    "STUDIO_REVIEW_REQUIRED", "personal_data", choices=("never", "personal_data", "always")
)

# How often beat sends the heartbeat that proves that beat, broker and worker all run.
STUDIO_HEARTBEAT_SECONDS = env.integer("STUDIO_HEARTBEAT_SECONDS", 15, minimum=1)

# How often one key, or one person, may call the API. A fleet shares one key: 6,000 trackers that poll each minute.
STUDIO_REQUESTS_PER_MINUTE = env.integer("STUDIO_REQUESTS_PER_MINUTE", 6_000, minimum=1)

# How often one key may send to the addresses of other people's clients. The visitors of a web site share one key, and
# posthog-js sends every three seconds while somebody does something: 3,000 visitors at once.
STUDIO_CLIENT_REQUESTS_PER_MINUTE = env.integer("STUDIO_CLIENT_REQUESTS_PER_MINUTE", 60_000, minimum=1)

# How many bad keys one network may present before they are answered with 429.
STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE = env.integer("STUDIO_FAILED_AUTHENTICATIONS_PER_MINUTE", 60, minimum=1)

# How many event streams one process serves, at about 40 KiB each, and how many of them may share a key. A fleet shares
# one key; whoever finds no room polls.
STUDIO_STREAMS_PER_PROCESS = env.integer("STUDIO_STREAMS_PER_PROCESS", 4_000, minimum=1)
STUDIO_STREAMS_PER_KEY = env.integer("STUDIO_STREAMS_PER_KEY", 1_000, minimum=1)

# How many proxies of our own stand in front and add to X-Forwarded-For. 0: nobody's word is taken for an address.
STUDIO_TRUSTED_PROXY_COUNT = env.integer("STUDIO_TRUSTED_PROXY_COUNT", 0, maximum=10)

# Pages whose browsers may send events to the addresses of other clients: origins such as https://shop.example.com, or *
# for all. The key that a page carries decides whether its events are taken; no cookie plays a part.
STUDIO_CLIENT_ORIGINS = [origin.lower() for origin in env.text_list("STUDIO_CLIENT_ORIGINS", ["*"])]

# How long after its end a window is judged: what clients and queues need to deliver. What comes later is judged again.
STUDIO_ANOMALY_LAG_SECONDS = env.integer("STUDIO_ANOMALY_LAG_SECONDS", 60, minimum=0, maximum=3_600)

# How long judged windows are kept: six weeks to compare with, and what the charts of incidents show.
STUDIO_ANOMALY_HISTORY_DAYS = env.integer("STUDIO_ANOMALY_HISTORY_DAYS", 90, minimum=45)

# Hosts, or host:port, that providers and webhooks may call though they are internal or speak plain HTTP, such as a
# collector in the same network. They are compared with what stands in the address; nothing is looked up for that.
STUDIO_OUTGOING_ALLOW = [host.lower() for host in env.text_list("STUDIO_OUTGOING_ALLOW")]

# How long a provider that does not take events is tried before they become dead letters.
STUDIO_DELIVERY_RETRY_HOURS = env.integer("STUDIO_DELIVERY_RETRY_HOURS", 24, minimum=1, maximum=168)

# How long it is remembered that events were delivered, and when.
STUDIO_DELIVERY_DAYS = env.integer("STUDIO_DELIVERY_DAYS", 7, minimum=1, maximum=90)

# How long dead letters can be looked at and sent again, if their events are still stored.
STUDIO_DEAD_LETTER_DAYS = env.integer("STUDIO_DEAD_LETTER_DAYS", 30, minimum=1, maximum=365)

# What a scraper has to present at /metrics. Without it there is no such address.
STUDIO_METRICS_TOKEN = env.text("STUDIO_METRICS_TOKEN", "")

# Where web processes of one machine keep what they count, so that any of them can tell for all; empty at their start.
# Without it each process tells for itself alone.
STUDIO_METRICS_DIR = env.text("STUDIO_METRICS_DIR", "")

# Where people reach the studio, such as https://studio.example.com: what links in alerts begin with. Without it they
# are paths alone.
STUDIO_PUBLIC_URL = env.web_address("STUDIO_PUBLIC_URL")

# The web hook that is told of accepted proposals, and the secret that its messages are signed with. Without an address
# nobody is told.
STUDIO_PROPOSAL_HOOK_URL = env.hook_address("STUDIO_PROPOSAL_HOOK_URL")
STUDIO_PROPOSAL_HOOK_SECRET = env.text("STUDIO_PROPOSAL_HOOK_SECRET", "")

# How long what was put together for an access request can be downloaded.
STUDIO_ACCESS_EXPORT_DAYS = env.integer("STUDIO_ACCESS_EXPORT_DAYS", 7, minimum=1, maximum=90)
# How long archived events are kept after the end of their retention: two years.
STUDIO_ARCHIVE_DAYS = env.integer("STUDIO_ARCHIVE_DAYS", 730, minimum=1, maximum=36_500)

# The directory of the archive, of which every worker sees the same; without one, beside the studio's other data.
STUDIO_ARCHIVE_DIR = env.text("STUDIO_ARCHIVE_DIR", "")

# A bucket of S3, or of what speaks like it, instead of a directory. Without keys, those of the machine's role.
STUDIO_ARCHIVE_S3_BUCKET = env.text("STUDIO_ARCHIVE_S3_BUCKET", "")
STUDIO_ARCHIVE_S3_ENDPOINT = env.text("STUDIO_ARCHIVE_S3_ENDPOINT", "")
STUDIO_ARCHIVE_S3_REGION = env.text("STUDIO_ARCHIVE_S3_REGION", "")
STUDIO_ARCHIVE_S3_PREFIX = env.text("STUDIO_ARCHIVE_S3_PREFIX", "telemetry-archive")
STUDIO_ARCHIVE_S3_ACCESS_KEY = env.text("STUDIO_ARCHIVE_S3_ACCESS_KEY", "")
STUDIO_ARCHIVE_S3_SECRET_KEY = env.text("STUDIO_ARCHIVE_S3_SECRET_KEY", "")

# How many events one run may remove at one tenant before somebody has to approve it. Several times what a tenant gets
# in a day, or routine waits as well. 0: none waits.
STUDIO_PURGE_APPROVAL_ROWS = env.integer("STUDIO_PURGE_APPROVAL_ROWS", 1_000_000)

# How often it is looked for events whose time is over.
STUDIO_PURGE_MINUTES = env.integer("STUDIO_PURGE_MINUTES", 60, minimum=1, maximum=1_440)
