"""Until when each version was the latest of its spec."""

from django.db import migrations, models

# A version gave way to the next one. One that is archived, and was the last, ended when it was archived.
BACKFILL = """
SELECT set_config('studio.tenant_ids', '*', true);
WITH ended AS (
    SELECT version.id, coalesce(
        (SELECT min(later.published_at) FROM telemetry_specversion later
         WHERE later.spec_id = version.spec_id AND later.version > version.version),
        (SELECT max(entry.created_at) FROM tenants_auditentry entry
         WHERE entry.action = 'spec.version.archived' AND entry.target_id = version.id::text),
        version.published_at
    ) AS at
    FROM telemetry_specversion version WHERE version.status <> 'published'
)
UPDATE telemetry_specversion version SET superseded_at = ended.at FROM ended WHERE ended.id = version.id;

INSERT INTO tenants_configchange (scope, subject_id, revision, changed_at)
SELECT 'spec', version.spec_id, (entry.details ->> 'config_revision')::bigint, entry.created_at
FROM tenants_auditentry entry JOIN telemetry_specversion version ON version.id::text = entry.target_id
WHERE entry.action IN ('spec.version.published', 'spec.version.archived');
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0010_violations"), ("tenants", "0011_what_was_before")]

    operations = [
        migrations.AddField("specversion", "superseded_at", models.DateTimeField(blank=True, null=True)),
        # Backwards the column goes, and the changes with the tables of the migrations before.
        migrations.RunSQL(BACKFILL, migrations.RunSQL.noop),
    ]
