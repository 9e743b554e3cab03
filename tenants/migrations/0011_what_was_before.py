"""What blueprints, floors and overrides said before, from the audit trail, which has every change."""

from django.db import migrations

FORWARDS = """
SELECT set_config('studio.tenant_ids', '*', true);

INSERT INTO tenants_configperiod (installation_id, tenant_id, config_id, starts_at, ends_at, planned_by_label,
    planned_at, ended_by_label)
SELECT installation_id, tenant_id, id, published_at,
    lead(published_at) OVER (PARTITION BY installation_id ORDER BY published_at, number), published_by_label,
    published_at, coalesce(lead(published_by_label) OVER (PARTITION BY installation_id ORDER BY published_at, number), '')
FROM tenants_tenantappconfig WHERE published_at IS NOT NULL;

INSERT INTO tenants_blueprintversion (app_id, number, document, saved_at, saved_by_label)
SELECT app.id, row_number() OVER (PARTITION BY app.id ORDER BY entry.created_at, entry.id),
    coalesce(entry.details ->> 'after', entry.details ->> 'blueprint'), entry.created_at, entry.actor_label
FROM tenants_auditentry entry JOIN tenants_app app ON app.id::text = entry.target_id
WHERE entry.target_type = 'tenants.app' AND entry.action IN ('app.created', 'app.blueprint.saved');

INSERT INTO tenants_floorversion (floor_id, number, document, saved_at, saved_by_label)
SELECT floor.id, row_number() OVER (PARTITION BY floor.id ORDER BY entry.created_at, entry.id),
    entry.details ->> 'after', entry.created_at, entry.actor_label
FROM tenants_auditentry entry JOIN tenants_floorrecord floor ON floor.id::text = entry.target_id
WHERE entry.target_type = 'tenants.floorrecord' AND entry.action = 'floor.saved';

INSERT INTO tenants_configchange (tenant_id, scope, subject_id, revision, changed_at)
SELECT config.tenant_id, 'installation', config.installation_id, (entry.details ->> 'config_revision')::bigint,
    config.published_at
FROM tenants_auditentry entry JOIN tenants_tenantappconfig config ON config.id::text = entry.target_id
WHERE entry.action IN ('config.version.published', 'config.version.rolled_back')
UNION ALL
SELECT installation.tenant_id, 'installation', installation.id, (entry.details ->> 'config_revision')::bigint,
    entry.created_at
FROM tenants_auditentry entry JOIN tenants_installation installation ON installation.tenant_id = entry.tenant_id
WHERE entry.action = 'tenant.pseudonym_key.renewed' AND installation.created_at <= entry.created_at
UNION ALL
SELECT NULL, CASE target_type WHEN 'tenants.app' THEN 'app' ELSE 'floor' END, target_id::bigint,
    (details ->> 'config_revision')::bigint, created_at
FROM tenants_auditentry WHERE action IN ('app.blueprint.saved', 'floor.saved')
UNION ALL
SELECT NULL, 'app', app.id, app.config_revision, app.created_at
FROM tenants_app app WHERE NOT EXISTS (
    SELECT FROM tenants_auditentry entry
    WHERE entry.action = 'app.blueprint.saved' AND entry.target_id = app.id::text
);
"""
# The rows have no other tables behind them, and no trigger stands in the way of their owner.
BACKWARDS = "TRUNCATE tenants_configchange, tenants_floorversion, tenants_blueprintversion, tenants_configperiod"


class Migration(migrations.Migration):
    dependencies = [("tenants", "0010_planned_changes_rules")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
