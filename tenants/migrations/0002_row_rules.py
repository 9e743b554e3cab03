"""The questions that policies and triggers ask: is this tenant, this person, this key in the transaction's context?

``tenants.context`` writes the three settings. Unset or empty means nobody, so a forgotten context shows nothing.
"""

from django.db import migrations

CREATE = """
CREATE FUNCTION studio_tenant_visible(tenant_id bigint) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT current_setting('studio.tenant_ids', true) = '*'
        OR tenant_id::text = ANY (string_to_array(current_setting('studio.tenant_ids', true), ','))
$$;
CREATE FUNCTION studio_user_visible(user_id bigint) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT user_id::text = current_setting('studio.user_id', true)
$$;
CREATE FUNCTION studio_api_key_visible(lookup text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT lookup = current_setting('studio.api_key_lookup', true)
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
DROP FUNCTION studio_api_key_visible(text);
DROP FUNCTION studio_user_visible(bigint);
DROP FUNCTION studio_tenant_visible(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_application_role")]

    operations = [migrations.RunSQL(CREATE, DROP)]
