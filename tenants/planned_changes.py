"""What holds at an instant without any job having noticed: the SQL that the layers above share.

See ``docs/adr/0005-planned-changes.md``. Both texts go into a statement with ``tenants_installation installation`` and,
where they name it, ``moment``, whose ``at`` is the instant that is asked for.
"""

from typing import Final

__all__ = ["EXCEPTIONS_OF_INSTALLATION", "LIVE_CONFIGS", "LIVE_PERIOD", "MOMENT", "NEXT_CHANGE", "PLANNED_CHANGES"]

# Now; never before what has been settled, because a writer's clock reading is older than its commit.
MOMENT: Final = "SELECT greatest(statement_timestamp(), installation.settled_at) AS at"

# Of the periods that hold the instant, the one that started last. An index scan that ends with its first row, since a
# version without an end is nearly always among the last periods.
LIVE_PERIOD: Final = """
SELECT period.id, period.config_id, period.starts_at, period.ends_at, period.planned_by_label
FROM tenants_configperiod period
WHERE period.installation_id = installation.id AND period.starts_at <= moment.at
    AND (period.ends_at IS NULL OR period.ends_at > moment.at)
ORDER BY period.starts_at DESC, period.id DESC LIMIT 1
"""

# The same for all installations of the context at once.
LIVE_CONFIGS: Final = """
SELECT DISTINCT ON (period.installation_id) period.installation_id, period.config_id
FROM tenants_configperiod period
WHERE period.starts_at <= statement_timestamp() AND (period.ends_at IS NULL OR period.ends_at > statement_timestamp())
ORDER BY period.installation_id, period.starts_at DESC, period.id DESC
"""

EXCEPTIONS_OF_INSTALLATION: Final = """
exception.tenant_id = installation.tenant_id AND exception.app_id = installation.app_id
    AND (exception.installation_id IS NULL OR exception.installation_id = installation.id)
"""

# Every instant at which something is planned to start or end at the installation, those that have passed too.
PLANNED_CHANGES: Final = f"""
SELECT planned.at, 'period' AS kind, period.id
FROM tenants_configperiod period CROSS JOIN LATERAL (VALUES (period.starts_at), (period.ends_at)) planned (at)
WHERE period.installation_id = installation.id AND period.starts_at IS DISTINCT FROM period.ends_at
    AND planned.at IS NOT NULL
UNION ALL
SELECT planned.at, 'exception', exception.id
FROM tenants_floorexceptionrecord exception
CROSS JOIN LATERAL (VALUES (exception.starts_at), (exception.ends_at)) planned (at)
WHERE {EXCEPTIONS_OF_INSTALLATION} AND exception.starts_at < exception.ends_at
"""  # noqa: S608 - constants of this module only

# The first instant after ``%(at)s`` at which something is planned at any installation of the context.
NEXT_CHANGE: Final = """
SELECT least(
    (SELECT min(starts_at) FROM tenants_configperiod WHERE starts_at > %(at)s AND starts_at IS DISTINCT FROM ends_at),
    (SELECT min(ends_at) FROM tenants_configperiod WHERE ends_at > %(at)s AND starts_at < ends_at),
    (SELECT min(starts_at) FROM tenants_floorexceptionrecord WHERE starts_at > %(at)s AND starts_at < ends_at),
    (SELECT min(ends_at) FROM tenants_floorexceptionrecord WHERE ends_at > %(at)s AND starts_at < ends_at)
)
"""
