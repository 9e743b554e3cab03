"""Specs in the admin: the draft with its meta, defaults, events and versions."""

from typing import Any, cast

import msgspec
from django.contrib import admin
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from studio import markup
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.event_columns import EventColumns
from studio.admin.fields import (
    DocumentField,
    LinesField,
    NumberField,
    RevisionField,
    SwitchField,
    TextField,
    WholeNumberField,
    WordField,
    overlay,
    without_blanks,
)
from studio.admin.refusals import ServiceForm
from studio.admin.site import site
from studio.pages import spec_deeds
from studio.pages.changes import draft_beside
from studio.pages.clone_spec import clone
from studio.pages.compare import compare
from studio.pages.deprecation import deprecate, restore
from studio.pages.findings import findings
from studio.pages.impact import impact
from studio.pages.import_spec import import_into, import_new
from studio.pages.publish_spec import publish
from studio.pages.reviews import submit
from studio.pages.spec_head import published_state, spec_head, stability_chip
from studio.pages.spec_history import history
from studio.pages.what_if import what_if
from studio.people import actor_of
from telemetry.core import defaults
from telemetry.core.codec import convert_document
from telemetry.core.enums import Stability, UndeclaredPolicy
from telemetry.core.plain import to_plain
from telemetry.core.spec import MAXIMUM_QUARANTINE_DAYS, TelemetryDefaults, TelemetrySpec
from telemetry.mappers import defaults_from_record, meta_from_record
from telemetry.models import EventRecord, SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.specs import specs_with_status
from telemetry.services.comparisons import compare_draft
from telemetry.services.specs import create_spec, save_meta

__all__ = ["SpecRecordAdmin"]

WHAT = "telemetry spec"


class SpecForm(ServiceForm):
    """Meta and defaults of a draft."""

    places = {
        "meta.name": "name",
        "meta.version": "version",
        "meta.title": "title",
        "meta.description": "description",
        "meta.domain": "domain",
        "meta.owners": "owners",
        "meta.tags": "tags",
        "config.defaultRetentionDays": "default_retention_days",
        "config.defaultSamplingRate": "default_sampling_rate",
        "config.undeclaredProperties": "undeclared_properties",
        "config.contextProperties": "context_properties",
        "config.providers": "providers",
        "config.anomalyDetection.checkIntervalMs": "anomaly_check_interval_ms",
        "config.anomalyDetection": "anomaly_enabled",
        "config.quarantine.days": "quarantine_days",
        "config.quarantine": "quarantine_enabled",
        "config.maskDetected": "mask_detected",
    }

    name = TextField(
        required=True, help_text="Such as <code>sigil.telemetry</code>. It never changes: apps are bound to it."
    )
    version = WholeNumberField(
        label="Next version", required=True, initial=1, help_text="The number that the draft gets when it is published."
    )
    title = TextField(required=True)
    description = TextField(lines=3)
    domain = TextField(help_text="The area of the product that it covers.")
    owners = LinesField(help_text="One per line, each with @, such as <code>@team.analytics</code>.")
    tags = LinesField(help_text="One per line.")
    stability = WordField(Stability, required=True, initial=Stability.EXPERIMENTAL.value)
    default_retention_days = WholeNumberField(
        label="Retention (days)",
        help_text=f"For events that name none. Empty: {defaults.DEFAULT_RETENTION_DAYS} days.",
    )
    default_sampling_rate = NumberField(
        label="Sampling rate", help_text="Share kept of events that name none, 0 to 1. Empty: all are kept."
    )
    undeclared_properties = WordField(
        UndeclaredPolicy,
        label="Undeclared properties",
        inherited=f"not set ({defaults.DEFAULT_UNDECLARED})",
        help_text="What happens to properties that an event does not declare. All but keep are reported.",
    )
    anomaly_enabled = SwitchField(label="Anomaly rules", inherited="not set (on)")
    anomaly_check_interval_ms = WholeNumberField(
        label="Check every (ms)",
        help_text=f"Width of the windows that rules judge. Empty: {defaults.DEFAULT_CHECK_INTERVAL_MS}.",
    )
    quarantine_enabled = SwitchField(
        label="Quarantine",
        inherited="not set (off)",
        help_text="Refused events are held for some days, encrypted and whole, so that they can be mended and taken in "
        "later. Events at level sensitive never are.",
    )
    quarantine_days = WholeNumberField(
        label="Hold for (days)",
        help_text=f"At most {MAXIMUM_QUARANTINE_DAYS}. Empty: {defaults.DEFAULT_QUARANTINE_DAYS}.",
    )
    mask_detected = SwitchField(
        label="Mask what is detected",
        inherited="not set (off)",
        help_text="Values that pass unhidden, but read like an e-mail address, a card number or other personal data, "
        "are masked before they are stored.",
    )
    context_properties = DocumentField(
        empty={},
        label="Context properties",
        help_text="Keys that <code>context.metadata</code> may carry, as YAML: <code>plan: {type: string}</code>.",
    )
    providers = DocumentField(
        empty=[],
        label="Providers",
        help_text="Where events go, as YAML. Secrets stay in the app: <code>projectApiKey: ${POSTHOG_KEY}</code>.",
    )
    expected_revision = RevisionField()

    class Meta:
        model = SpecRecord
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = self.instance
        self.initial["expected_revision"] = record.draft_revision
        if record.pk is None:
            return
        del self.fields["name"]
        columns = set(self.fields) - {"version", "expected_revision"}
        self.initial.update({column: getattr(record, column) for column in columns}, version=record.draft_version)

    def spec(self) -> TelemetrySpec:
        """A spec with the meta and defaults that the form holds, and no events; raises ``InvalidDocument``.

        What the form does not show stays as it is stored.
        """
        stored = {} if self.instance.pk is None else _stored_head(self.instance)
        document = {
            "meta": overlay(stored.get("meta", {}), self._meta_document()),
            "config": overlay(stored.get("config", {}), self._defaults_document()),
        }
        spec = convert_document(document, TelemetrySpec, what=WHAT)
        if spec.config == TelemetryDefaults() and not self.instance.declares_defaults:
            return msgspec.structs.replace(spec, config=None)
        return spec

    def _meta_document(self) -> dict[str, Any]:
        data = self.cleaned_data
        texts = {key: data[key] for key in ("title", "description", "domain", "owners", "tags", "stability")}
        return {"name": self.instance.name or data.get("name"), "version": data["version"], **texts}

    def _defaults_document(self) -> dict[str, Any]:
        data = self.cleaned_data
        anomaly = {"enabled": data["anomaly_enabled"], "checkIntervalMs": data["anomaly_check_interval_ms"]}
        return {
            "defaultRetentionDays": data["default_retention_days"],
            "defaultSamplingRate": data["default_sampling_rate"],
            "undeclaredProperties": data["undeclared_properties"],
            "contextProperties": data["context_properties"],
            "providers": data["providers"],
            "anomalyDetection": without_blanks(anomaly),
            "quarantine": without_blanks({"enabled": data["quarantine_enabled"], "days": data["quarantine_days"]}),
            "maskDetected": data["mask_detected"],
        }


def _stored_head(record: SpecRecord) -> dict[str, Any]:
    """Meta and defaults in document terms, as they are stored now; no query."""
    spec = TelemetrySpec(meta=meta_from_record(record), config=defaults_from_record(record))
    return cast("dict[str, Any]", to_plain(spec))


class DraftFilter(DropdownFilter):
    """Drafts that wait to be published."""

    title = "draft"
    parameter_name = "draft"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states of a draft."""
        return [("changed", "unpublished changes"), ("same", "as published")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SpecRecord]) -> QuerySet[SpecRecord]:
        """The specs whose draft is in the chosen state."""
        same = Q(draft_revision=F("published_revision"))
        chosen = {"changed": ~same, "same": same}.get(self.value() or "")
        return queryset if chosen is None else queryset.filter(chosen)


class ReadOnlyInline(TabularInline):
    """Rows that are shown here and edited on pages of their own."""

    extra = 0
    can_delete = False
    hide_title = True
    tab = True
    # The theme takes 6 ms to draw a row.
    per_page = 25

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here."""
        return False

    has_change_permission = has_add_permission
    has_delete_permission = has_add_permission

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the spec sees these."""
        return True


class EventInline(EventColumns, ReadOnlyInline):
    """The draft's events."""

    model = EventRecord
    fields = ["title_link", "what", "level", "properties_number", "retention", "sampling", "findings", "end"]
    readonly_fields = [*fields, "flag"]
    # Said again, because counting drops the model's order.
    ordering = ["position", "id"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[EventRecord]:
        """With the number of properties."""
        return super().get_queryset(request).annotate(property_count=Count("properties"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Who may not edit sees which events are deprecated, without the way to change that."""
        return self.fields if actor_of(request).can("spec.edit") else [*self.fields[:-1], "flag"]

    @display(description="Findings")
    def findings(self, event: EventRecord) -> SafeString:
        """What lint said of it when the draft was saved."""
        return markup.words([]) if event.finding_count is None else markup.number(event.finding_count)

    @display(description="In use")
    def end(self, event: EventRecord) -> SafeString:
        """Whether it is still to be sent, with the way to change that."""
        verb, word = ("deprecate", "Deprecate") if event.deprecation_reason is None else ("restore", "Use again")
        link = markup.link(reverse(f"admin:telemetry_specrecord_{verb}", args=[event.spec_id, event.pk]), word)
        return link if event.deprecation_reason is None else format_html("{} {}", self.flag(event), link)

    @display(description="In use")
    def flag(self, event: EventRecord) -> SafeString:
        """Whether it is still to be sent."""
        if event.deprecation_reason is None:
            return markup.words([])
        replaced = f"Sent instead: {event.deprecation_replaced_by}. " if event.deprecation_replaced_by else ""
        return markup.chip("deprecated", "amber", title=f"{replaced}{event.deprecation_reason}")


@admin.register(SpecRecord, site=site)
class SpecRecordAdmin(StudioModelAdmin):
    """Tracking plans: edited as a draft, published as frozen versions."""

    address = "specs/"
    empty_state = EmptyState(
        "schema",
        "No spec yet",
        "A spec is the versioned plan of an area's events: what is collected, what is personal, how long it is kept. "
        "Apps obey the version that you publish.",
    )
    add_ability = "spec.edit"
    change_ability = "spec.edit"
    import_view = "admin:telemetry_specrecord_import_new"
    form = SpecForm
    change_form_outer_before_template = "studio/components/spec_draft.html"
    inlines = [EventInline]
    list_display = ["title_and_name", "stability_chip", "events_number", "published", "draft", "owner_chips"]
    list_filter = [("stability", ChoicesDropdownFilter), DraftFilter]
    list_filter_submit = True
    search_fields = ["name", "title", "domain", "description"]
    search_help_text = "Name, title or domain"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpecRecord]:
        """With what is published and how many events the draft has."""
        return specs_with_status()

    def get_inlines(self, request: HttpRequest, obj: SpecRecord | None) -> list[type[TabularInline]]:
        """A new spec has no events."""
        return [] if obj is None else list(self.inlines)

    def get_fieldsets(self, request: HttpRequest, obj: SpecRecord | None = None) -> Any:
        """Meta and defaults, each on a tab once the spec is there."""
        names = ["name"] if obj is None else []
        texts = [*names, "title", "description", "domain", "owners", "tags", "stability", "version"]
        values = [
            "default_retention_days",
            "default_sampling_rate",
            "undeclared_properties",
            "anomaly_enabled",
            "anomaly_check_interval_ms",
            "quarantine_enabled",
            "quarantine_days",
            "mask_detected",
            "context_properties",
            "providers",
        ]
        classes = ["tab"]
        return [
            ("Meta", {"fields": [*texts, "expected_revision"], "classes": classes}),
            ("Defaults", {"fields": values, "classes": classes}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form names its fields itself: most are parts of documents, not columns."""
        return super().get_form(request, obj, change, **kwargs | {"fields": []})

    @display(description="Spec", ordering="name")
    def title_and_name(self, record: SpecRecord) -> SafeString:
        """Its title with the name that documents use."""
        return markup.named(record.title, record.name)

    @display(description="Stability", ordering="stability")
    def stability_chip(self, record: SpecRecord) -> SafeString:
        """How settled it is."""
        return stability_chip(record)

    @display(description="Events", ordering="event_count")
    def events_number(self, record: Any) -> SafeString:
        """How many the draft has, with the way to the catalogue."""
        return markup.link(f"{reverse('catalog')}?{urlencode({'spec': record.name})}", str(record.event_count))

    @display(description="Published", ordering="published_at")
    def published(self, record: Any) -> SafeString:
        """Which version apps obey, and since when."""
        return published_state(record)

    @display(description="Draft", ordering="updated_at")
    def draft(self, record: SpecRecord) -> SafeString:
        """Whether it says something that is not published."""
        if record.has_changes:
            return markup.status_chip("unpublished changes")
        return markup.words([])

    @display(description="Owners")
    def owner_chips(self, record: SpecRecord) -> SafeString:
        """Who answers for it."""
        return markup.words(record.owners)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """With the draft's changes beside what is published."""
        record = context.get("original")
        if record is not None:
            state = DraftState(record)
            compared = compare_draft(state) if record.has_changes else None
            context["head"] = spec_head(request, state, "change", compared)
            context |= {} if compared is None else draft_beside(record, compared)
        return super().render_change_form(request, context, *args, **kwargs)

    def get_urls(self) -> list[URLPattern]:
        """With the pages of what can be done."""
        wrap, name = self.admin_site.admin_view, "telemetry_specrecord"
        pages = {
            "findings": findings,
            "compare": compare,
            "impact": impact,
            "what-if": what_if,
            "history": history,
            "submit": submit,
            "publish": publish,
            "clone": clone,
            "import": import_into,
            "discard": spec_deeds.discard,
            "yaml": spec_deeds.download_yaml,
            "json": spec_deeds.download_json,
        }
        return [
            path("import/", wrap(import_new), name=f"{name}_import_new"),
            path("<int:spec_id>/events/<int:event_id>/deprecate/", wrap(deprecate), name=f"{name}_deprecate"),
            path("<int:spec_id>/events/<int:event_id>/restore/", wrap(restore), name=f"{name}_restore"),
            *(path(f"<int:spec_id>/{page}/", wrap(view), name=f"{name}_{page}") for page, view in pages.items()),
            *super().get_urls(),
        ]

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> SpecRecord:
        """A new draft, or the draft's new meta and defaults."""
        actor, spec = actor_of(request), form.spec()
        if not change:
            return create_spec(actor=actor, spec=spec)
        expected = form.cleaned_data["expected_revision"]
        return save_meta(actor=actor, meta=spec.meta, config=spec.config, expected_revision=expected)
