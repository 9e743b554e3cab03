"""Tenants in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextInputWidget

from studio import markup
from studio.addresses import list_address, page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.refusals import ServiceForm
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages.tenant_deeds import renew_pseudonym_key, switch_tenant
from studio.people import actor_of
from tenants.models import Installation, Tenant
from tenants.services.tenants import create_tenant

__all__ = ["TenantAdmin"]


class TenantForm(ServiceForm):
    """A new tenant."""

    places = {"slug": "slug", "name": "name"}

    slug = forms.CharField(
        widget=UnfoldAdminTextInputWidget(),
        help_text="Its name in documents and addresses, such as <code>acme</code>. It never changes.",
    )
    name = forms.CharField(widget=UnfoldAdminTextInputWidget(), help_text="Its name for people.")

    class Meta:
        model = Tenant
        fields = ["slug", "name"]


@admin.register(Tenant, site=site)
class TenantAdmin(StudioModelAdmin):
    """Customers: added here, then switched off and on; a tenant that has rows is never removed."""

    address = "tenants/"
    empty_state = EmptyState(
        "domain",
        "No tenant yet",
        "A tenant is a customer. Each has installations of your apps, and may change what these collect.",
    )
    add_ability = "tenant.manage"
    in_tenant = True
    form = TenantForm
    list_display = ["name", "identifier", "state", "installations", "created"]
    list_filter = ["is_active"]
    search_fields = ["name", "slug"]
    search_help_text = "Name or slug"

    def tenant_id_of(self, row: Any) -> int | None:
        """The tenant is its own."""
        return row.pk

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A new tenant belongs to the workspace, not to another tenant."""
        return actor_of(request).can("tenant.manage")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        """With the number of installations of each."""
        return super().get_queryset(request).annotate(installation_count=Count("installations"))

    def get_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        """What a new tenant needs, or what is known of one."""
        return ["slug", "name"] if obj is None else ["name", "identifier", "created", "pseudonym_key"]

    def get_readonly_fields(self, request: HttpRequest, obj: Tenant | None = None) -> list[str]:
        """Nothing of a tenant is edited here."""
        return [] if obj is None else self.get_fields(request, obj)

    @display(description="Slug", ordering="slug")
    def identifier(self, tenant: Tenant) -> SafeString:
        """How documents name it."""
        return markup.code(tenant.slug)

    @display(description="State", ordering="is_active")
    def state(self, tenant: Tenant) -> SafeString:
        """Whether its keys work."""
        return markup.status_chip("active" if tenant.is_active else "inactive")

    @display(description="Installations", ordering="installation_count")
    def installations(self, tenant: Any) -> SafeString:
        """How many, with the way there."""
        return markup.link(list_address(Installation, tenant__id=tenant.pk), str(tenant.installation_count))

    @display(description="Added", ordering="created_at")
    def created(self, tenant: Tenant) -> SafeString:
        """When."""
        return markup.when(tenant.created_at)

    @display(description="Pseudonym key")
    def pseudonym_key(self, tenant: Tenant) -> str:
        """Its epoch; the key itself is derived and never shown."""
        return f"Epoch {tenant.pseudonym_epoch}"

    def head_of(self, request: HttpRequest, row: Tenant) -> Head:
        """State, and what can be done."""
        actor = actor_of(request)
        deeds = [Deed("Installations", list_address(Installation, tenant__id=row.pk), "deployed_code")]
        if actor.can("pseudonym_key.renew", row.pk):
            deeds.append(Deed("Renew pseudonym key", page_address(row, "pseudonym_key"), "key"))
        if actor.can("tenant.manage"):
            switch = page_address(row, "switch")
            deeds.append(
                Deed("Deactivate", switch, "block", "danger")
                if row.is_active
                else Deed("Activate", switch, "check", "primary")
            )
        return Head((self.state(row),), (Fact("Added", markup.when(row.created_at)),), tuple(deeds))

    def get_urls(self) -> list[URLPattern]:
        """With the pages of what can be done."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:tenant_id>/switch/", wrap(switch_tenant), name="tenants_tenant_switch"),
            path("<int:tenant_id>/pseudonym-key/", wrap(renew_pseudonym_key), name="tenants_tenant_pseudonym_key"),
            *super().get_urls(),
        ]

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> Tenant:
        """A new tenant."""
        return create_tenant(actor=actor_of(request), slug=form.cleaned_data["slug"], name=form.cleaned_data["name"])
