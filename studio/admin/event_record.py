"""Events in the admin: the catalogue over all drafts, and the form of one event."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from studio import markup
from studio.addresses import address_of, page_address
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.event_columns import EventColumns
from studio.admin.event_form import EDITED, EventForm, event_of_forms
from studio.admin.event_parts import PartFormSet, PropertyForm, PropertyFormSet, ThresholdForm, place_in_rows
from studio.admin.refusals import refusal_of, show_refusal
from studio.admin.site import site
from studio.head import Deed, Fact, Head
from studio.pages.event_deeds import remove
from studio.pages.event_editor import Forms, editor_of, note_findings, spec_of, stored_event, switch_off
from studio.pages.event_rehearsal import Answer, begin_rehearsal, carry_out, rehearsal_of
from studio.people import actor_of
from telemetry.core.enums import PropertyType
from telemetry.core.errors import TelemetryError
from telemetry.core.lint import Finding
from telemetry.core.spec import EventDefinition
from telemetry.models import EventRecord, PropertyRecord, SpecRecord, ThresholdRecord
from telemetry.selectors.events import search_events
from telemetry.services.event_rehearsal import rehearse_event
from telemetry.services.specs import save_event

__all__ = ["EventRecordAdmin"]

PREVIEW_NEW = "admin:telemetry_eventrecord_preview_new"


def declared_in_address(request: HttpRequest, event: EventRecord | None) -> list[dict[str, Any]]:
    """The property that the address asks to declare, as a row's first values; none if the event has it already.

    Only for looking at: what was sent comes with all of its rows.
    """
    name, kind = request.GET.get("declare", "")[:128], request.GET.get("type", "")
    if request.method != "GET" or not name or not actor_of(request).can("spec.edit"):
        return []
    if event is not None and event.pk and event.properties.filter(name=name).exists():
        return []
    return [{"name": name, "type": kind if kind in set(PropertyType) else PropertyType.STRING.value}]


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
    """The properties of an event, and one more row for the property that the address asks to declare."""

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
        "place",
    ]

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """A row for what is to be declared."""
        return len(declared_in_address(request, obj))


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
    change_form_template = "studio/event_editor/page.html"
    # The editor warns itself: it knows which entries are no part of the event.
    warn_unsaved_form = False
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
        """One for all fields: the editor's template has them by tab."""
        where = ["spec_choice"] if obj is None else []
        return [(None, {"fields": [*where, *EDITED]})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form names its fields itself: most are parts of documents, not columns."""
        form = super().get_form(request, obj, change, **kwargs | {"fields": []})
        return form if rehearsal_of(request) is None else type(form.__name__, (form,), {"is_rehearsal": True})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The spec from whose page the person comes, and the name that somebody else has given the event."""
        return {"spec_choice": request.GET.get("spec", ""), "name": request.GET.get("name", "")[:200]}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; a button that does not save answers with the same page and the entries as they are then."""
        if request.method == "POST":
            self._require_ability(request, object_id)
            answer = carry_out(request)
            if answer is not None:
                begin_rehearsal(request, answer)
                note_findings(request, self._judge(request, self._row(request, object_id)))
        return super().changeform_view(request, object_id, form_url, extra_context)

    def preview(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """What stands beside the form, for the entries of the form: a piece of HTML; nothing is stored."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self._require_ability(request, object_id)
        begin_rehearsal(request, Answer(request.POST))
        row = self._row(request, object_id)
        note_findings(request, self._judge(request, row))
        editor = editor_of(request, self._sent_forms(request, row), row)
        return TemplateResponse(request, "studio/event_editor/preview.html", {"editor": editor, "is_live": True})

    def _row(self, request: HttpRequest, object_id: str | None) -> EventRecord | None:
        return None if object_id is None else self.get_object(request, unquote(object_id))

    def _judge(self, request: HttpRequest, row: EventRecord | None) -> tuple[Finding, ...] | None:
        """What lint says about the entries; ``None``, and the forms show why, when saving would refuse them."""
        forms = self._sent_forms(request, row)
        spec = spec_of(forms[0], row)
        if spec is None or any(form.errors and any(form.errors) for form in forms):
            return None
        try:
            replaces = None if row is None else (row.name, row.version)
            return rehearse_event(spec, event_of_forms(*forms), replaces=replaces)
        except TelemetryError as error:
            show_refusal(request, error)
            return None

    def _sent_forms(self, request: HttpRequest, row: EventRecord | None) -> Forms:
        """The forms, filled from what was sent; errors of rows find their place before those of the event."""
        form = self.get_form(request, row, change=row is not None)(request.POST, instance=row)
        formsets, _ = self._create_formsets(request, form.instance, change=row is not None)
        for formset in formsets:
            formset.is_valid()
        return (form, formsets[0], formsets[1])

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The editor; who may only look gets its rows switched off, too."""
        row = context.get("original")
        formsets = [inline.formset for inline in context["inline_admin_formsets"]]
        is_editable = actor_of(request).can("spec.edit")
        if not is_editable:
            switch_off(*formsets)
        forms = (context["adminform"].form, formsets[0], formsets[1])
        stored = None if row is None or forms[0].is_bound else stored_event(row, forms)
        if row is not None and stored is not None:
            note_findings(request, self._findings(row, stored))
        context |= {
            "editor": editor_of(request, forms, row, stored),
            "rehearsal": rehearsal_of(request),
            "is_editable": is_editable,
            "preview_address": reverse(PREVIEW_NEW) if row is None else page_address(row, "preview"),
        }
        return super().render_change_form(request, context, *args, **kwargs)

    def _findings(self, row: EventRecord, event: EventDefinition) -> tuple[Finding, ...] | None:
        """What lint says about the stored event."""
        try:
            return rehearse_event(row.spec, event, replaces=(row.name, row.version))
        except TelemetryError:
            # The draft changed around the event so that it breaks a rule now; a check says which.
            return None

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Django's, with what is to be declared in the row for it."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        wanted = declared_in_address(request, obj) if isinstance(inline, PropertyInline) else []
        return {**kwargs, "initial": wanted} if wanted else kwargs

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
        view = self.admin_site.admin_view
        return [
            path("<int:event_id>/remove/", view(remove), name="telemetry_eventrecord_remove"),
            path("<object_id>/preview/", view(self.preview), name="telemetry_eventrecord_preview"),
            path("preview/", view(self.preview), name=PREVIEW_NEW.removeprefix("admin:")),
            *super().get_urls(),
        ]

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
