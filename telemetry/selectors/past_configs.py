"""What made up the effective config of an installation at any instant: documents by their spans, numbers by theirs."""

from datetime import datetime
from typing import Final

from django.db import connection

from telemetry.core.errors import Conflict
from telemetry.selectors.configs import ConfigLayers, layers_from_row, select_layers
from tenants.planned_changes import LIVE_PERIOD, PLANNED_CHANGES

__all__ = ["past_config_layers"]

# The last number that a row had got by then, and when.
NUMBER: Final = """
SELECT change.revision, change.changed_at FROM tenants_configchange change
WHERE change.scope = '{scope}' AND change.subject_id = {scope}.id AND change.changed_at <= {at}
ORDER BY change.changed_at DESC, change.revision DESC LIMIT 1
"""

BOUND: Final = f"""
WITH bound AS (
    SELECT installation.id, installation.tenant_id, installation.app_id, installation.environment, moment.at,
        app.slug AS app, coalesce(blueprint.document, '{{}}') AS blueprint, config.document AS override,
        coalesce(config.document::jsonb -> 'spec', blueprint.document::jsonb -> 'spec') AS pointer,
        greatest(
            coalesce(own.revision, 0),
            (SELECT revision FROM ({NUMBER.format(scope="app", at="moment.at")}) number),
            (SELECT max(number.revision) FROM tenants_floorrecord floor
             CROSS JOIN LATERAL ({NUMBER.format(scope="floor", at="moment.at")}) number
             WHERE floor.app_id IS NULL OR floor.app_id = installation.app_id)
        ) AS revision,
        (SELECT count(*) FROM ({PLANNED_CHANGES}) planned
         WHERE planned.at > coalesce(own.changed_at, installation.created_at) AND planned.at <= moment.at) AS unsettled,
        (SELECT min(planned.at) FROM ({PLANNED_CHANGES}) planned WHERE planned.at > moment.at) AS valid_until
    FROM tenants_installation installation
    JOIN tenants_app app ON app.id = installation.app_id
    CROSS JOIN LATERAL (SELECT %(at)s::timestamptz AS at) moment
    LEFT JOIN LATERAL ({NUMBER.format(scope="installation", at="moment.at")}) own ON true
    LEFT JOIN LATERAL (
        SELECT past.document FROM tenants_blueprintversion past
        WHERE past.app_id = app.id AND past.saved_at <= moment.at ORDER BY past.saved_at DESC, past.number DESC LIMIT 1
    ) blueprint ON true
    LEFT JOIN LATERAL ({LIVE_PERIOD}) live ON true
    LEFT JOIN tenants_tenantappconfig config ON config.id = live.config_id
    WHERE installation.id = %(id)s AND installation.created_at <= moment.at
)
"""  # noqa: S608 - constants only

LAYERS: Final = select_layers(
    BOUND,
    spec_revision=f"(SELECT revision FROM ({NUMBER.format(scope='spec', at='installation.at')}) number)",  # noqa: S608
    floors="""
        SELECT past.document FROM tenants_floorrecord floor CROSS JOIN LATERAL (
            SELECT version.document FROM tenants_floorversion version
            WHERE version.floor_id = floor.id AND version.saved_at <= installation.at
            ORDER BY version.saved_at DESC, version.number DESC LIMIT 1
        ) past
        WHERE floor.app_id IS NULL OR floor.app_id = installation.app_id ORDER BY floor.app_id NULLS FIRST
    """,
    latest="""version.published_at <= installation.at
        AND (version.superseded_at IS NULL OR version.superseded_at > installation.at)""",
    known="version.published_at <= installation.at",
)


def past_config_layers(installation_id: int, at: datetime) -> ConfigLayers:
    """Everything that the installation's effective config was made of at the aware instant ``at``, in one query.

    It is what ``selectors.configs.config_layers`` answered then; for an instant ahead, what it will answer if nobody
    changes anything. The pseudonym key alone is today's. Raises ``Conflict`` for an instant before the installation
    was there, and if the tenant context does not show it.
    """
    with connection.cursor() as cursor:
        cursor.execute(LAYERS, {"id": installation_id, "at": at})
        row = cursor.fetchone()
    if row is None:
        raise Conflict("the installation was not there yet")
    return layers_from_row(row)
