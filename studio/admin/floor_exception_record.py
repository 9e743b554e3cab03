"""Exceptions from the privacy floor in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from studio import markup
from studio.addresses import page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages import floor_exceptions as pages
from studio.people import actor_of
from tenants.floor_selectors import exceptions_in_state, floor_exceptions
from tenants.mappers import exception_of
from tenants.models import FloorExceptionRecord

__all__ = ["FloorExceptionRecordAdmin"]

STATES = ("planned", "live", "ended", "revoked")
TONES = {"planned": "blue", "live": "amber"}


class StateFilter(DropdownFilter):
    """Where in its time it is."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states that an exception can be in."""
        return [(state, state) for state in STATES]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[FloorExceptionRecord]
    ) -> QuerySet[FloorExceptionRecord]:
        """The exceptions in the chosen state."""
        state = self.value() or ""
        return queryset.filter(pk__in=exceptions_in_state(state).values("pk")) if state in STATES else queryset


@admin.register(FloorExceptionRecord, site=site)
class FloorExceptionRecordAdmin(StudioModelAdmin):
    """Limits that somebody is freed from for a while: granted, and ended by themselves or revoked."""

    address = "floor-exceptions/"
    empty_state = EmptyState(
        "lock_clock",
        "No exception",
        "Every limit of the privacy floors holds everywhere. An exception frees an app at a tenant from one limit for "
        "a while: with a reason, an end, and an entry in the audit log.",
        "See the floors",
        "admin:tenants_floorrecord_changelist",
    )
    add_ability = "floor.except"
    in_tenant = True
    list_display = ["place", "limit", "state", "starts", "ends", "granted"]
    list_filter = [StateFilter, ("tenant", RelatedDropdownFilter), ("app", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["tenant__name", "app__name", "reason"]
    search_help_text = "Tenant, app or reason"
    fields = ["place", "limit", "instead", "events", "reason", "starts", "ends", "granted", "revoked"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[FloorExceptionRecord]:
        """With all that they name, those that end last first."""
        return floor_exceptions()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Floors are everybody's, so a tenant's own officer frees nobody."""
        return actor_of(request).can("floor.except")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that grants one."""
        return pages.grant(request)

    def get_urls(self) -> list[URLPattern]:
        """With the page that ends one early."""
        view = self.admin_site.admin_view(pages.revoke)
        name = "tenants_floorexceptionrecord_revoke"
        return [path("<int:exception_id>/revoke/", view, name=name), *super().get_urls()]

    @display(description="For", ordering="tenant__name")
    def place(self, record: FloorExceptionRecord) -> SafeString:
        """The app and tenant, and the environment if it is one only."""
        where = "all environments" if record.installation is None else record.installation.environment
        return markup.named(f"{record.app} at {record.tenant}", where)

    @display(description="Freed from")
    def limit(self, record: FloorExceptionRecord) -> SafeString:
        """Which limit does not hold."""
        exception = exception_of(record)
        words = pages.LIMITS[exception.limit].capitalize()
        level = "" if exception.level is None else markup.privacy_chip(exception.level)
        return format_html("{} {}", words, level)

    @display(description="Instead")
    def instead(self, record: FloorExceptionRecord) -> str:
        """What holds in its place."""
        exception = exception_of(record)
        if exception.redaction is not None:
            return f"at least {exception.redaction}"
        if exception.retention_days is not None:
            return f"at most {exception.retention_days} days"
        if exception.sampling_rate is not None:
            return markup.percent(exception.sampling_rate)
        return "what tenant and spec say"

    @display(description="Events")
    def events(self, record: FloorExceptionRecord) -> SafeString | str:
        """Which, if not all."""
        exception = exception_of(record)
        if exception.events:
            return markup.words(exception.events)
        return "all" if exception.level is None else "all of the level"

    @display(description="State")
    def state(self, record: FloorExceptionRecord) -> SafeString:
        """Where in its time it is."""
        state = record.state_at(timezone.now())
        return markup.chip(state, TONES.get(state, "grey"))

    @display(description="From", ordering="starts_at")
    def starts(self, record: FloorExceptionRecord) -> SafeString:
        """From when on."""
        return markup.when(record.starts_at)

    @display(description="Until", ordering="ends_at")
    def ends(self, record: FloorExceptionRecord) -> SafeString:
        """Until when."""
        return markup.when(record.ends_at)

    @display(description="Granted", ordering="granted_at")
    def granted(self, record: FloorExceptionRecord) -> SafeString:
        """When, and by whom."""
        return markup.when_by(record.granted_at, record.granted_by_label)

    @display(description="Revoked")
    def revoked(self, record: FloorExceptionRecord) -> SafeString | str:
        """When, and by whom."""
        return markup.when_by(record.revoked_at, record.revoked_by_label) if record.revoked_at else "no"

    def head_of(self, request: HttpRequest, row: FloorExceptionRecord) -> Head:
        """Whom it frees until when, and how it ends early."""
        facts = (Fact("For", self.place(row)), Fact("Until", self.ends(row)))
        is_over = row.state_at(timezone.now()) in ("ended", "revoked")
        may = actor_of(request).can("floor.except") and not is_over
        deeds = (Deed("Revoke", page_address(row, "revoke"), "lock", "danger"),) if may else ()
        return Head((self.state(row),), facts, deeds)
