"""Contracts of events in the admin: the list; each contract has a page of its own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AllValuesCheckboxFilter
from unfold.decorators import display

from studio import markup
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.site import site
from studio.pages.event_specs import (
    download_event_spec,
    event_spec_page,
    import_event_spec_page,
    remove_event_spec_page,
)
from telemetry.models import EventSpecRecord
from telemetry.selectors.event_specs import event_specs

__all__ = ["EventSpecRecordAdmin"]


@admin.register(EventSpecRecord, site=site)
class EventSpecRecordAdmin(StudioModelAdmin):
    """What events are by contract; imported, never edited here."""

    address = "event-specs/"
    add_ability = "spec.edit"
    empty_state = EmptyState(
        "contract",
        "No EventSpec yet",
        "An EventSpec says what an event is, apart from telemetry: its payload, and where personal data is in it. "
        "Import those of a domain, and lint says where telemetry departs from them.",
        "See the lint rules",
        "lint_rules",
    )
    list_display = ["title_and_version", "what", "domain_text", "measured", "imported"]
    list_filter = [("domain", AllValuesCheckboxFilter)]
    list_filter_submit = True
    search_fields = ["name", "title", "domain"]
    search_help_text = "Name, title or domain"
    ordering = ["name", "-version"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventSpecRecord]:
        """Without documents, with the number of events that measure each."""
        return event_specs()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The import: contracts are written elsewhere."""
        return import_event_spec_page(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of the contract instead of a form."""
        # Longer numbers than the column holds are no rows.
        if not object_id.isascii() or not object_id.isdecimal() or len(object_id) > 18:
            raise Http404
        return event_spec_page(request, int(object_id))

    @display(description="EventSpec", ordering="name")
    def title_and_version(self, record: EventSpecRecord) -> SafeString:
        """Name and version."""
        return markup.code(str(record))

    @display(description="What it is", ordering="title")
    def what(self, record: EventSpecRecord) -> str:
        """Its title."""
        return record.title or markup.ABSENT

    @display(description="Domain", ordering="domain")
    def domain_text(self, record: EventSpecRecord) -> str:
        """The domain whose specs are compared."""
        return record.domain or markup.ABSENT

    @display(description="Measured by", ordering="event_count")
    def measured(self, record: EventSpecRecord) -> SafeString | str:
        """How many events of drafts have its name and version."""
        return markup.counted(record.event_count, "event") if record.event_count else markup.chip("no event", "amber")

    @display(description="Imported", ordering="imported_at")
    def imported(self, record: EventSpecRecord) -> SafeString:
        """When, and by whom."""
        return markup.when_by(record.imported_at, record.imported_by_label)

    def get_urls(self) -> list[URLPattern]:
        """With the pages of what can be done."""
        wrap, name = self.admin_site.admin_view, "telemetry_eventspecrecord"
        pages = {"remove": remove_event_spec_page, "json": download_event_spec}
        return [
            *(path(f"<int:event_spec_id>/{page}/", wrap(view), name=f"{name}_{page}") for page, view in pages.items()),
            *super().get_urls(),
        ]
