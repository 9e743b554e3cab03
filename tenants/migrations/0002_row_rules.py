"""What policies and triggers call: who is in the transaction's context, and a refusal.

``tenants.context`` writes the three settings. Unset or empty means nobody, so a forgotten context shows nothing.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION studio_context_is_all() RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT current_setting('studio.tenant_ids', true) = '*'
$$;
CREATE FUNCTION studio_context_tenants() RETURNS bigint[]
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT string_to_array(nullif(nullif(current_setting('studio.tenant_ids', true), ''), '*'), ',')::bigint[]
$$;
CREATE FUNCTION studio_context_user() RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('studio.user_id', true), '')::bigint
$$;
CREATE FUNCTION studio_context_lookup() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('studio.api_key_lookup', true), '')
$$;
CREATE FUNCTION studio_refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: %', lower(TG_OP), TG_TABLE_NAME, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END
$$;
"""

DROP = """
DROP FUNCTION studio_refuse_change();
DROP FUNCTION studio_context_lookup();
DROP FUNCTION studio_context_user();
DROP FUNCTION studio_context_tenants();
DROP FUNCTION studio_context_is_all();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_application_role")]

    operations = [migrations.RunSQL(CREATE, DROP)]
