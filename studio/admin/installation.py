"""Installations in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.views import ChangeList as ThemeChangeList
from unfold.widgets import UnfoldAdminSelectWidget

from studio import markup
from studio.addresses import address_of, list_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.fields import WordField
from studio.admin.refusals import ServiceForm
from studio.admin.site import site
from studio.pages import installation as pages
from studio.pages.compare_configs import compare
from studio.pages.explain import explain
from studio.pages.promotion import promote
from studio.pages.scope import tenants_where
from studio.pages.toggle_event import toggle_event
from studio.pages.toggles import reset_toggles, toggles
from studio.pages.traffic_draft import traffic_draft
from studio.people import actor_of
from telemetry.core.enums import Environment
from tenants.models import ApiKey, App, ConfigStatus, Installation, Tenant, TenantAppConfig
from tenants.services.installations import create_installation

__all__ = ["InstallationAdmin"]


class InstallationForm(ServiceForm):
    """A new installation."""

    tenant = forms.ModelChoiceField(Tenant.objects.none(), widget=UnfoldAdminSelectWidget())
    app = forms.ModelChoiceField(App.objects.all(), widget=UnfoldAdminSelectWidget())
    environment = WordField(Environment, required=True, initial=Environment.PRODUCTION.value)

    class Meta:
        model = Installation
        fields = ["tenant", "app", "environment"]


class InstallationList(ThemeChangeList):
    """A list whose addresses carry the public id: numbers could be counted through."""

    def url_for_result(self, result: Any) -> str:
        """The installation's page."""
        return address_of(result)


@admin.register(Installation, site=site)
class InstallationAdmin(StudioModelAdmin):
    """Apps at tenants; each has pages of its own, see ``studio.pages.installation``."""

    address = "installations/"
    empty_state = EmptyState(
        "deployed_code",
        "No installation yet",
        "An installation is an app at a tenant in one environment. It is what fetches a config, and what toggles and "
        "keys belong to.",
        "See the apps",
        "admin:tenants_app_changelist",
    )
    add_ability = "tenant.manage"
    in_tenant = True
    form = InstallationForm
    list_display = ["title", "environment_chip", "live", "draft", "keys", "revision"]
    list_filter = [
        ("tenant", RelatedDropdownFilter),
        ("app", RelatedDropdownFilter),
        ("environment", ChoicesDropdownFilter),
    ]
    list_filter_submit = True
    list_select_related = ["tenant", "app"]
    search_fields = ["tenant__name", "tenant__slug", "app__name", "app__slug"]
    search_help_text = "Tenant or app"
    ordering = ["tenant__slug", "app__slug", "environment"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Installation]:
        """With what is live, what is drafted, and how many keys work."""
        versions = TenantAppConfig.objects.filter(installation=OuterRef("pk")).order_by()
        usable = Q(api_keys__revoked_at=None) & (
            Q(api_keys__expires_at=None) | Q(api_keys__expires_at__gt=timezone.now())
        )
        return (
            super()
            .get_queryset(request)
            .annotate(
                live_number=Subquery(versions.filter(status=ConfigStatus.PUBLISHED).values("number")),
                live_since=Subquery(versions.filter(status=ConfigStatus.PUBLISHED).values("published_at")),
                draft_number=Subquery(versions.filter(status=ConfigStatus.DRAFT).values("number")),
                key_count=Count("api_keys", filter=usable),
            )
        )

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Installation:
        """The installation with this public id, or 404."""
        try:
            return self.get_queryset(request).select_related("tenant", "app").get(public_id=object_id)
        except (Installation.DoesNotExist, ValidationError):
            raise Http404 from None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with public addresses."""
        return InstallationList

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Only tenants in which the person may add installations are offered."""
        form = super().get_form(request, obj, change, **kwargs)
        form.base_fields["tenant"].queryset = tenants_where(actor_of(request), "tenant.manage")
        return form

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The installation's first page instead of a form: nothing of an installation itself is edited."""
        return pages.summary(request, object_id)

    def get_urls(self) -> list[URLPattern]:
        """With the installation's pages."""
        wrap = self.admin_site.admin_view
        named = {
            "toggles": toggles,
            "toggle_event": toggle_event,
            "reset": reset_toggles,
            "config": pages.effective,
            "explain": explain,
            "history": pages.history,
            "compare": compare,
            "promote": promote,
            "draft": traffic_draft,
        }
        return [
            *(
                path(f"<uuid:public_id>/{name}/", wrap(view), name=f"tenants_installation_{name}")
                for name, view in named.items()
            ),
            *super().get_urls(),
        ]

    @display(description="Installation", ordering="tenant__slug")
    def title(self, installation: Installation) -> str:
        """App and tenant."""
        return f"{installation.app.name} at {installation.tenant.name}"

    @display(description="Environment", ordering="environment")
    def environment_chip(self, installation: Installation) -> SafeString:
        """Where it runs."""
        return pages.environment_chip(installation)

    @display(description="Live override")
    def live(self, installation: Any) -> SafeString:
        """Which version of the tenant's override is live."""
        if installation.live_number is None:
            return markup.chip("app defaults")
        return pages.version_and_time(installation.live_number, installation.live_since)

    @display(description="Draft")
    def draft(self, installation: Any) -> SafeString:
        """Whether changes wait to be published."""
        if installation.draft_number is None:
            return markup.words([])
        return markup.status_chip("unpublished changes")

    @display(description="Keys", ordering="key_count")
    def keys(self, installation: Any) -> SafeString:
        """How many keys work, with the way there."""
        return markup.link(list_address(ApiKey, installation__id=installation.pk), str(installation.key_count))

    @display(description="Config revision", ordering="config_revision")
    def revision(self, installation: Installation) -> int:
        """The number of the installation's own last change."""
        return installation.config_revision

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> Installation:
        """A new installation."""
        data = form.cleaned_data
        return create_installation(
            actor=actor_of(request),
            tenant=data["tenant"],
            app=data["app"],
            environment=Environment(data["environment"]),
        )
