"""Published versions are final in the database itself: only their status may change, and none is ever removed."""

from django.db import migrations

FREEZE = """
CREATE FUNCTION telemetry_keep_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'version % of a published spec is never removed', OLD.version USING ERRCODE = 'restrict_violation';
    END IF;
    IF to_jsonb(NEW) - 'status' IS DISTINCT FROM to_jsonb(OLD) - 'status' THEN
        RAISE EXCEPTION 'version % of a published spec is final', OLD.version USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER telemetry_keep_version BEFORE UPDATE OR DELETE ON telemetry_specversion
    FOR EACH ROW EXECUTE FUNCTION telemetry_keep_version();
"""

THAW = """
DROP TRIGGER telemetry_keep_version ON telemetry_specversion;
DROP FUNCTION telemetry_keep_version();
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0001_initial")]

    operations = [migrations.RunSQL(FREEZE, THAW)]
