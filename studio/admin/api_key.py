"""API keys in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from studio import markup
from studio.addresses import address_of, page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.filters import InstallationFilter
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages import keys
from studio.people import actor_of
from tenants.models import ApiKey, KeyKind

__all__ = ["ApiKeyAdmin"]


class StateFilter(DropdownFilter):
    """Which keys work."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states that a key can be in."""
        return [(state, state) for state in keys.STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        """The keys in the chosen state."""
        now = timezone.now()
        expired = Q(revoked_at=None, expires_at__lte=now)
        soon = Q(revoked_at=None, expires_at__gt=now, expires_at__lte=now + keys.SOON)
        chosen = {
            keys.REVOKED: Q(revoked_at__isnull=False),
            keys.EXPIRED: expired,
            keys.EXPIRES_SOON: soon,
            keys.ACTIVE: Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=now + keys.SOON)),
        }.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


@admin.register(ApiKey, site=site)
class ApiKeyAdmin(StudioModelAdmin):
    """Credentials: issued and shown once, then only revoked. No digest is ever shown."""

    address = "api-keys/"
    empty_state = EmptyState(
        "key",
        "No key yet",
        "An app proves with its key which installation it is: to fetch its config, and to send events. A key is shown "
        "once, when it is issued.",
        "See the installations",
        "admin:tenants_installation_changelist",
    )
    add_ability = "key.manage"
    in_tenant = True
    list_display = ["title", "holder", "scope_chips", "state", "used", "expires"]
    list_filter = [StateFilter, ("kind", ChoicesDropdownFilter), ("installation", InstallationFilter)]
    list_filter_submit = True
    list_select_related = ["installation__tenant", "installation__app", "user"]
    search_fields = ["name", "lookup", "installation__tenant__name", "installation__app__name"]
    search_help_text = "Name, key's first letters, tenant or app"
    fields = ["title", "lookup", "holder", "scope_chips", "issued", "used", "expires", "revoked"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiKey]:
        """With the holder, and without the digest."""
        rows = super().get_queryset(request).defer("digest")
        return rows.select_related("installation__tenant", "installation__app", "user")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A personal key is for its owner and for those who manage people."""
        if obj is not None and obj.kind == KeyKind.USER:
            actor = actor_of(request)
            return obj.user_id == actor.user_id or actor.can("people.manage")
        return super().has_view_permission(request, obj)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that issues a key and shows it once."""
        return keys.issue(request)

    def get_urls(self) -> list[URLPattern]:
        """With the pages of what can be done."""
        wrap = self.admin_site.admin_view
        return [
            path("<int:key_id>/revoke/", wrap(keys.revoke), name="tenants_apikey_revoke"),
            path("<int:key_id>/rotate/", wrap(keys.rotate), name="tenants_apikey_rotate"),
            *super().get_urls(),
        ]

    @display(description="Name", ordering="name")
    def title(self, key: ApiKey) -> SafeString:
        """The name that people gave it, with the letters that find it in logs."""
        return markup.named(key.name, key.lookup)

    @display(description="Holder")
    def holder(self, key: ApiKey) -> SafeString | str:
        """The installation or person that it stands for."""
        if key.installation is not None:
            return markup.link(address_of(key.installation), str(key.installation))
        return f"{key.user} (personal)"

    @display(description="Scopes")
    def scope_chips(self, key: ApiKey) -> SafeString:
        """What it is for."""
        return markup.words(key.scopes)

    @display(description="State")
    def state(self, key: ApiKey) -> SafeString:
        """Whether it works."""
        return markup.status_chip(keys.state_of(key))

    @display(description="Issued", ordering="created_at")
    def issued(self, key: ApiKey) -> SafeString:
        """When, and by whom."""
        return markup.when_by(key.created_at, key.created_by_label)

    @display(description="Last used", ordering="last_used_at")
    def used(self, key: ApiKey) -> SafeString:
        """When it was used last, within the hour."""
        return markup.when(key.last_used_at, "never")

    @display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> SafeString:
        """Until when it works."""
        return markup.when(key.expires_at, "never")

    @display(description="Revoked", ordering="revoked_at")
    def revoked(self, key: ApiKey) -> SafeString:
        """When it was revoked."""
        return markup.when(key.revoked_at, "no")

    def head_of(self, request: HttpRequest, row: ApiKey) -> Head:
        """Whether it works, and how it ends."""
        facts = (Fact("Holder", self.holder(row)), Fact("Last used", self.used(row)))
        deeds: list[Deed] = []
        if keys.may_end(actor_of(request), row):
            if keys.is_usable(row) and row.kind == KeyKind.APP:
                deeds.append(Deed("Rotate", page_address(row, "rotate"), "autorenew"))
            if row.revoked_at is None:
                deeds.append(Deed("Revoke", page_address(row, "revoke"), "block", "danger"))
        return Head((self.state(row),), facts, tuple(deeds))
