"""Versions of tenants' overrides in the admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from studio import markup
from studio.addresses import address_of, page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.filters import InstallationFilter
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages import configs
from studio.pages.config_release import release
from studio.pages.what_if import config_what_if
from studio.people import actor_of
from tenants.models import ConfigStatus, TenantAppConfig

__all__ = ["TenantAppConfigAdmin"]


@admin.register(TenantAppConfig, site=site)
class TenantAppConfigAdmin(StudioModelAdmin):
    """What tenants changed, version by version: written on the toggles page, read and brought back here."""

    address = "configs/"
    empty_state = EmptyState(
        "tune",
        "No tenant has changed anything yet",
        "A tenant may turn events off, keep a smaller share of them, or keep them for less long. Each change of an "
        "installation's toggles is a version here, and can be brought back.",
        "Choose an installation",
        "admin:tenants_installation_changelist",
    )
    in_tenant = True
    list_display = ["title", "installation_link", "state", "summary", "written", "published"]
    list_filter = [("status", ChoicesDropdownFilter), ("installation", InstallationFilter)]
    list_filter_submit = True
    list_select_related = ["installation__tenant", "installation__app", "based_on"]
    search_fields = ["installation__tenant__name", "installation__app__name", "change_summary", "created_by_label"]
    search_help_text = "Tenant, app, summary or person"
    ordering = ["-created_at", "-id"]
    fields = ["installation_link", "summary", "written", "published", "lineage", "checksum_code", "override"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[TenantAppConfig]:
        """With the installation and the version before."""
        return super().get_queryset(request).select_related("installation__tenant", "installation__app", "based_on")

    @display(description="Version", ordering="number")
    def title(self, config: TenantAppConfig) -> str:
        """Its number within the installation."""
        return f"Version {config.number}"

    @display(description="Installation")
    def installation_link(self, config: TenantAppConfig) -> SafeString:
        """Where it holds."""
        return markup.link(address_of(config.installation), str(config.installation))

    @display(description="State", ordering="status")
    def state(self, config: TenantAppConfig) -> SafeString:
        """Where it is in its life."""
        return markup.status_chip(config.status)

    @display(description="What changed", ordering="change_summary")
    def summary(self, config: TenantAppConfig) -> str:
        """In the words of who published it."""
        return config.change_summary or markup.ABSENT

    @display(description="Written", ordering="created_at")
    def written(self, config: TenantAppConfig) -> SafeString:
        """When, and by whom."""
        return markup.when_by(config.created_at, config.created_by_label)

    @display(description="Published", ordering="published_at")
    def published(self, config: TenantAppConfig) -> SafeString:
        """When, and by whom."""
        return markup.when_by(config.published_at, config.published_by_label)

    @display(description="Written from")
    def lineage(self, config: TenantAppConfig) -> SafeString | str:
        """The version that it was written from, or that it brought back."""
        if config.based_on is None:
            return "the app's defaults"
        return markup.link(address_of(config.based_on), f"Version {config.based_on.number}")

    @display(description="Checksum")
    def checksum_code(self, config: TenantAppConfig) -> SafeString:
        """SHA-256 of the canonical document."""
        return markup.code(config.checksum)

    @display(description="Override")
    def override(self, config: TenantAppConfig) -> SafeString:
        """The document."""
        return markup.document(config.document)

    def head_of(self, request: HttpRequest, row: TenantAppConfig) -> Head:
        """Where it is in its life, and what can be done."""
        actor = actor_of(request)
        deeds: list[Deed] = []
        if row.status in configs.OPEN:
            deeds.append(Deed("Open in toggles", page_address(row.installation, "toggles"), "tune"))
            if actor.can("config.edit", row.tenant_id):
                deeds.append(Deed("Review and release", page_address(row, "release"), "rocket_launch", "primary"))
        if row.status == ConfigStatus.SUPERSEDED and actor.can("config.publish", row.tenant_id):
            deeds.append(Deed("Roll back to this", page_address(row, "rollback"), "undo", "primary"))
        if row.status in configs.ARCHIVABLE and actor.can("config.edit", row.tenant_id):
            deeds.append(Deed("Archive", page_address(row, "archive"), "archive", "danger"))
        return Head((self.state(row),), (Fact("Installation", self.installation_link(row)),), tuple(deeds))

    def get_urls(self) -> list[URLPattern]:
        """With the pages of what can be done."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:config_id>/rollback/", wrap(configs.rollback), name="tenants_tenantappconfig_rollback"),
            path("<int:config_id>/release/", wrap(release), name="tenants_tenantappconfig_release"),
            path("<int:config_id>/what-if/", wrap(config_what_if), name="tenants_tenantappconfig_what-if"),
            path("periods/<int:period_id>/end/", wrap(configs.end), name="tenants_configperiod_end"),
            path("<int:config_id>/archive/", wrap(configs.archive), name="tenants_tenantappconfig_archive"),
            *super().get_urls(),
        ]
