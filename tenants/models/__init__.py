"""Who: tenants, apps, installations, their overrides and floors, people's roles, keys, and the audit trail."""

from tenants.models.api_key import ApiKey, KeyKind
from tenants.models.app import App
from tenants.models.audit_entry import ActorKind, AuditEntry
from tenants.models.config_reader import ConfigReader
from tenants.models.config_revision_counter import ConfigRevisionCounter
from tenants.models.floor_record import FloorRecord
from tenants.models.installation import Installation
from tenants.models.membership import Membership
from tenants.models.tenant import Tenant
from tenants.models.tenant_app_config import ConfigStatus, TenantAppConfig

__all__ = [
    "ActorKind",
    "ApiKey",
    "App",
    "AuditEntry",
    "ConfigReader",
    "ConfigRevisionCounter",
    "ConfigStatus",
    "FloorRecord",
    "Installation",
    "KeyKind",
    "Membership",
    "Tenant",
    "TenantAppConfig",
]
