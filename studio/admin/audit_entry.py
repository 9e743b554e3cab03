"""The audit log in the admin."""

import json

from django.apps import apps
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter
from unfold.decorators import display

from studio import markup
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.site import site
from tenants.models import ActorKind, AuditEntry

__all__ = ["AuditEntryAdmin"]


@admin.register(AuditEntry, site=site)
class AuditEntryAdmin(StudioModelAdmin):
    """Who did what to what, when: read only, here and in the database."""

    address = "audit/"
    empty_state = EmptyState(
        "receipt_long",
        "Nothing has happened yet",
        "Every change leaves an entry here: who did it, to what, and when. Entries are never changed or removed.",
    )
    view_ability = "audit.view"
    in_tenant = True
    list_display = ["happened", "who", "did", "target", "where"]
    list_display_links = ["happened"]
    list_filter = [
        ("created_at", RangeDateTimeFilter),
        ("tenant", RelatedDropdownFilter),
        ("actor_kind", ChoicesDropdownFilter),
    ]
    list_filter_submit = True
    # The history of one object.
    linked_lookups = frozenset({"target_type__exact", "target_id__exact"})
    list_select_related = ["tenant"]
    search_fields = ["action", "actor_label", "target_label", "target_type"]
    search_help_text = "Action, person or object"
    ordering = ["-created_at", "-id"]
    # The trail grows for ever; counting it for each page would not stay fast.
    show_full_result_count = False
    fields = ["happened", "who", "did", "target", "where", "request_id", "document"]
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        """With the tenant."""
        return super().get_queryset(request).select_related("tenant")

    @display(description="When", ordering="created_at")
    def happened(self, entry: AuditEntry) -> SafeString:
        """When it happened."""
        return markup.when(entry.created_at)

    @display(description="Who", ordering="actor_label")
    def who(self, entry: AuditEntry) -> SafeString:
        """The person, key or system; the words of that moment."""
        if entry.actor_kind == ActorKind.USER:
            return format_html("{}", entry.actor_label)
        return markup.chip("system") if entry.actor_kind == ActorKind.SYSTEM else markup.named(entry.actor_label, "key")

    @display(description="Action", ordering="action")
    def did(self, entry: AuditEntry) -> SafeString:
        """What was done; attempts that were denied stand out."""
        return markup.chip(entry.action, "red") if entry.action == "access.denied" else markup.code(entry.action)

    @display(description="Object")
    def target(self, entry: AuditEntry) -> SafeString:
        """To what."""
        try:
            noun = apps.get_model(entry.target_type)._meta.verbose_name
        except (LookupError, ValueError):
            noun = entry.target_type
        return format_html('{} <span class="quiet">{}</span>', entry.target_label, noun)

    @display(description="Tenant", ordering="tenant__name")
    def where(self, entry: AuditEntry) -> str:
        """The tenant that it concerns."""
        return entry.tenant.name if entry.tenant else "whole workspace"

    @display(description="Details")
    def document(self, entry: AuditEntry) -> SafeString:
        """What the entry holds beside the words."""
        return markup.document(json.dumps(entry.details))
