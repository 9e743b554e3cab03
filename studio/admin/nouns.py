"""Every noun of the admin; importing this module registers them all."""

from studio.admin import (
    api_key,
    app,
    audit_entry,
    event_record,
    event_spec_record,
    floor_exception_record,
    floor_record,
    installation,
    membership,
    review_record,
    spec_record,
    spec_version,
    tenant,
    tenant_app_config,
    user,
)
from studio.admin.site import site

__all__ = [
    "api_key",
    "app",
    "audit_entry",
    "event_record",
    "event_spec_record",
    "floor_exception_record",
    "floor_record",
    "installation",
    "membership",
    "review_record",
    "site",
    "spec_record",
    "spec_version",
    "tenant",
    "tenant_app_config",
    "user",
]
