"""Parts of configs that are made beforehand, so that a process that knows nothing yet need not resolve every event."""

from typing import Final

from django.db import connection

from telemetry.core.config_documents import LayerDocuments, Preparation
from telemetry.models import ConfigParts

__all__ = ["FORMAT", "prepare_parts", "prepared_parts"]

# Raise it whenever the same layers give another document: clients do not keep the old one then, and prepared parts of
# an earlier program are not used.
FORMAT: Final = 2

# Of one spec. Apps that are bound to it mostly have the same blueprint beside its pointer; each set takes a tenth of a
# millisecond for each event, so a publication must not make more, however many apps there are.
MOST_SETS: Final = 8
# Sets of one spec that are kept, of versions and floors of before too: about 20 kB each.
MOST_KEPT: Final = 32

# What the installations of each app have in common. An override that binds another spec than its app makes its own.
SHARED: Final = """
SELECT DISTINCT version.id, version.document, app.blueprint, ARRAY(
    SELECT floor.document FROM tenants_floorrecord floor
    WHERE floor.app_id IS NULL OR floor.app_id = app.id ORDER BY floor.app_id NULLS FIRST
)
FROM telemetry_specrecord spec
JOIN tenants_app app ON app.blueprint::jsonb #>> '{spec,name}' = spec.name
JOIN telemetry_specversion version ON version.spec_id = spec.id AND CASE
    WHEN app.blueprint::jsonb #>> '{spec,version}' IS NULL THEN version.status = 'published'
    ELSE version.version = (app.blueprint::jsonb #>> '{spec,version}')::int END
WHERE spec.name = %(name)s ORDER BY version.id DESC LIMIT %(most)s
"""
FORGET: Final = """
DELETE FROM telemetry_configparts WHERE id IN (
    SELECT parts.id FROM telemetry_configparts parts
    JOIN telemetry_specversion version ON version.id = parts.version_id
    JOIN telemetry_specrecord spec ON spec.id = version.spec_id
    WHERE spec.name = %(name)s ORDER BY parts.id DESC OFFSET %(most)s
)
"""


def prepare_parts(spec_name: str) -> None:
    """The parts that the apps bound to the spec need are kept; one query, up to four where there are such apps.

    The work is the same however many installations there are. What is not prepared is resolved when it is asked for.
    """
    with connection.cursor() as cursor:
        cursor.execute(SHARED, {"name": spec_name, "most": MOST_SETS})
        found = [
            (version_id, Preparation(LayerDocuments(document, blueprint, floors=tuple(floors))))
            for version_id, document, blueprint, floors in cursor.fetchall()
        ]
        if not found:
            return
        wanted = {_key(preparation.digest): (version_id, preparation) for version_id, preparation in found}
        known = set(ConfigParts.objects.filter(key__in=wanted).values_list("key", flat=True))
        rows = [
            ConfigParts(version_id=version_id, key=key, parts=preparation.content().decode())
            for key, (version_id, preparation) in wanted.items()
            if key not in known
        ]
        if rows:
            ConfigParts.objects.bulk_create(rows, ignore_conflicts=True)
            cursor.execute(FORGET, {"name": spec_name, "most": MOST_KEPT})


def prepared_parts(digest: str) -> bytes | None:
    """What was prepared under this digest, if it was; one query."""
    parts = ConfigParts.objects.filter(key=_key(digest)).values_list("parts", flat=True).first()
    return None if parts is None else parts.encode()


def _key(digest: str) -> str:
    return f"{FORMAT}-{digest}"
