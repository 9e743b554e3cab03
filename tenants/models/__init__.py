"""Who: tenants, apps, installations, their overrides, floors and exceptions, people's roles, keys, the audit trail."""

from tenants.models.api_key import ApiKey, KeyKind
from tenants.models.app import App
from tenants.models.audit_entry import ActorKind, AuditEntry
from tenants.models.config_change import ChangeScope, ConfigChange
from tenants.models.config_period import ConfigPeriod
from tenants.models.config_reader import ConfigReader
from tenants.models.config_revision_counter import ConfigRevisionCounter
from tenants.models.draft_step import DraftStep
from tenants.models.floor_exception_record import FloorExceptionRecord
from tenants.models.floor_record import FloorRecord
from tenants.models.installation import Installation
from tenants.models.membership import Membership
from tenants.models.past_documents import BlueprintVersion, FloorVersion
from tenants.models.tenant import Tenant
from tenants.models.tenant_app_config import ConfigStatus, TenantAppConfig

__all__ = [
    "ActorKind",
    "ApiKey",
    "App",
    "AuditEntry",
    "BlueprintVersion",
    "ChangeScope",
    "ConfigChange",
    "ConfigPeriod",
    "ConfigReader",
    "ConfigRevisionCounter",
    "ConfigStatus",
    "DraftStep",
    "FloorExceptionRecord",
    "FloorRecord",
    "FloorVersion",
    "Installation",
    "KeyKind",
    "Membership",
    "Tenant",
    "TenantAppConfig",
]
