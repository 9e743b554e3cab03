"""Events in the admin: the catalogue over all drafts, and the form of one event."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from studio import markup
from studio.addresses import address_of, page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.event_columns import EventColumns
from studio.admin.event_form import EventForm, event_of_forms
from studio.admin.event_parts import PartFormSet, PropertyForm, PropertyFormSet, ThresholdForm, place_in_rows
from studio.admin.refusals import refusal_of
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages.event_deeds import remove
from studio.people import actor_of
from telemetry.models import EventRecord, PropertyRecord, SpecRecord, ThresholdRecord
from telemetry.selectors.events import search_events
from telemetry.services.specs import save_event

__all__ = ["EventRecordAdmin"]


class PartInline(TabularInline):
    """Parts of an event, saved with it; they may be changed by whoever may change the event."""

    formset = PartFormSet
    extra = 0
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the event sees its parts."""
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the event."""
        return actor_of(request).can("spec.edit")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """As for the event."""
        return actor_of(request).can("spec.edit")

    has_delete_permission = has_change_permission


class PropertyInline(PartInline):
    """The properties of an event."""

    model = PropertyRecord
    form = PropertyForm
    formset = PropertyFormSet
    fields = [
        "name",
        "type",
        "required",
        "pii",
        "redact",
        "redaction_strategy",
        "setting",
        "allowed_values",
        "unit",
        "description",
    ]


class ThresholdInline(PartInline):
    """The thresholds of an event."""

    model = ThresholdRecord
    form = ThresholdForm
    fields = ["metric", "min", "max"]


@admin.register(EventRecord, site=site)
class EventRecordAdmin(EventColumns, StudioModelAdmin):
    """Every event of every draft."""

    address = "events/"
    empty_state = EmptyState(
        "bolt",
        "No event yet",
        "The catalogue lists the events of every spec: what they mean, what they carry, how they are protected.",
        "See the specs",
        "admin:telemetry_specrecord_changelist",
    )
    add_ability = "spec.edit"
    change_ability = "spec.edit"
    adds_in_series = True
    form = EventForm
    inlines = [PropertyInline, ThresholdInline]
    list_display = ["title", "what", "level", "spec_name", "properties_number", "retention", "sampling"]
    list_filter = [("privacy", ChoicesDropdownFilter), ("spec", RelatedDropdownFilter)]
    list_filter_submit = True
    search_fields = ["name", "semantics_what", "properties__name"]
    search_help_text = "Event, meaning or property"
    ordering = ["name", "version"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventRecord]:
        """With the spec and the number of properties."""
        return search_events()

    def get_fieldsets(self, request: HttpRequest, obj: EventRecord | None = None) -> Any:
        """By the question that they answer."""
        where = ["spec_choice"] if obj is None else []
        return [
            (
                None,
                {"fields": [*where, ("name", "version"), "semantics_what", "semantics_who", "semantics_why", "tags"]},
            ),
            (
                "Upkeep",
                {
                    "fields": [
                        "owners",
                        "review_by",
                        ("deprecation_reason", "deprecation_replaced_by"),
                        "lint_opt_outs",
                    ],
                    "classes": ["collapse"],
                },
            ),
            ("Protection", {"fields": ["privacy", ("retention_days", "retention_policy")]}),
            ("Sampling", {"fields": ["sampling_rate", "sampling_conditions"]}),
            (
                "Anomaly rules",
                {"fields": ["anomaly_enabled", "anomaly_minimum_sample", "anomaly_actions", "expected_revision"]},
            ),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form names its fields itself: most are parts of documents, not columns."""
        return super().get_form(request, obj, change, **kwargs | {"fields": []})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The spec from whose page the person comes."""
        return {"spec_choice": request.GET.get("spec", "")}

    def _create_formsets(self, request: HttpRequest, obj: Any, change: bool) -> Any:
        """Django's, with what was refused in the rows that it is about."""
        formsets, inlines = super()._create_formsets(request, obj, change)
        refusal = refusal_of(request)
        if refusal is not None and request.method == "POST":
            for formset in formsets:
                formset.is_valid()
            place_in_rows(refusal, *formsets)
        return formsets, inlines

    @display(description="Spec", ordering="spec__name")
    def spec_name(self, event: EventRecord) -> str:
        """The spec whose draft it is in."""
        return event.spec.name

    def head_of(self, request: HttpRequest, row: EventRecord) -> Head:
        """Its level and its spec."""
        deeds = (
            (Deed("Remove event", page_address(row, "remove"), "delete", "danger"),)
            if actor_of(request).can("spec.edit")
            else ()
        )
        spec = markup.link(address_of(row.spec), row.spec.name)
        facts = (Fact("Draft of", spec), Fact("Draft revision", row.spec.draft_revision))
        return Head((markup.privacy_chip(row.privacy),), facts, deeds)

    def get_urls(self) -> list[URLPattern]:
        """With the page that removes an event."""
        view = self.admin_site.admin_view(remove)
        return [path("<int:event_id>/remove/", view, name="telemetry_eventrecord_remove"), *super().get_urls()]

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> EventRecord:
        """The event with its properties and thresholds, all of it or nothing."""
        spec: SpecRecord = row.spec if change else form.cleaned_data["spec_choice"]
        return save_event(
            actor=actor_of(request),
            spec_name=spec.name,
            event=event_of_forms(form, *formsets),
            replaces=(row.name, row.version) if change else None,
            must_be_new=not change,
            expected_revision=form.cleaned_data["expected_revision"],
        )
