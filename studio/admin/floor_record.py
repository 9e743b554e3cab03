"""Privacy floors in the admin."""

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from studio import markup
from studio.admin.base import EmptyState, StudioModelAdmin
from studio.admin.fields import LinesField, NumberField, RevisionField, WholeNumberField, WordField, without_blanks
from studio.admin.refusals import ServiceForm
from studio.admin.site import site
from studio.head import Fact, Head
from studio.pages.impact import impact_groups
from studio.people import actor_of
from telemetry.core.codec import convert_document
from telemetry.core.config import PrivacyFloor
from telemetry.core.enums import FloorStrategy, PrivacyLevel
from telemetry.services.floor_impact import impact_of_floor
from tenants.actors import Actor
from tenants.mappers import floor_of
from tenants.models import App, FloorRecord
from tenants.services.floors import save_floor

__all__ = ["FloorRecordAdmin"]

LEVELS = tuple(PrivacyLevel)
# The button that asks what the floor would do.
LOOK: Final = "_look"
SHOWN: Final = 25


class FloorForm(ServiceForm):
    """The limits of the organisation or of one app; per privacy level a redaction and a number of days."""

    places = {
        **{f"minimumRedaction.{level}": f"redaction_{level}" for level in LEVELS},
        **{f"maximumRetentionDays.{level}": f"days_{level}" for level in LEVELS},
        "forcedOff": "forced_off",
        "forcedOn": "forced_on",
        "sampling.minimumRate": "minimum_rate",
        "sampling.maximumRate": "maximum_rate",
        "forbidQuarantine": "forbid_quarantine",
    }

    holds_for = forms.ModelChoiceField(
        App.objects.all(),
        label="Holds for",
        required=False,
        empty_label="the whole organisation",
        widget=UnfoldAdminSelectWidget(),
        help_text="An app's floor holds together with the organisation's: of two limits the tighter one counts.",
    )
    forced_off = LinesField(
        label="Forced off",
        help_text="Events that nobody collects, one per line: a name, or a name and version such as "
        "<code>order_placed@2</code>. Off wins over on.",
    )
    forced_on = LinesField(label="Forced on", help_text="Events that nobody can turn off, one per line.")
    minimum_rate = NumberField(label="Lowest sampling rate", help_text="Share kept, 0 to 1.")
    maximum_rate = NumberField(label="Highest sampling rate", help_text="Share kept, 0 to 1.")
    forbid_quarantine = forms.BooleanField(
        label="No quarantine",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="No refused event is held, not even encrypted, whatever a spec says.",
    )
    expected_revision = RevisionField()

    class Meta:
        model = FloorRecord
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for level in LEVELS:
            self.fields[f"redaction_{level}"] = WordField(
                FloorStrategy, label=f"{level}: hide at least by", inherited="no limit"
            )
            self.fields[f"days_{level}"] = WholeNumberField(label="keep at most (days)", min_value=1)
        if self.instance.pk is None:
            self.initial["expected_revision"] = 0
            return
        del self.fields["holds_for"]
        self.initial.update(_initial(floor_of(self.instance)), expected_revision=self.instance.config_revision)

    @property
    def is_looked_at(self) -> bool:
        """Whether the person asked what it would do, and not to save it."""
        return self.is_bound and LOOK in self.data

    def is_valid(self) -> bool:
        """What is looked at only is never saved."""
        return super().is_valid() and not self.is_looked_at

    def floor(self) -> PrivacyFloor:
        """What the form holds; raises ``InvalidDocument``."""
        data = self.cleaned_data
        document = {
            "minimumRedaction": without_blanks({level.value: data[f"redaction_{level}"] for level in LEVELS}),
            "maximumRetentionDays": without_blanks({level.value: data[f"days_{level}"] for level in LEVELS}),
            "forcedOff": data["forced_off"],
            "forcedOn": data["forced_on"],
            "sampling": without_blanks({"minimumRate": data["minimum_rate"], "maximumRate": data["maximum_rate"]}),
            "forbidQuarantine": data["forbid_quarantine"],
        }
        return convert_document(without_blanks(document), PrivacyFloor, what="privacy floor")


def _initial(floor: PrivacyFloor) -> dict[str, Any]:
    bounds = floor.sampling
    return {
        **{f"redaction_{level}": strategy for level, strategy in floor.minimum_redaction.items()},
        **{f"days_{level}": days for level, days in floor.maximum_retention_days.items()},
        "forced_off": list(floor.forced_off),
        "forced_on": list(floor.forced_on),
        "minimum_rate": None if bounds is None else bounds.minimum_rate,
        "maximum_rate": None if bounds is None else bounds.maximum_rate,
        "forbid_quarantine": floor.forbid_quarantine,
    }


@admin.register(FloorRecord, site=site)
class FloorRecordAdmin(StudioModelAdmin):
    """Limits that no app and no tenant can loosen."""

    address = "floors/"
    empty_state = EmptyState(
        "shield",
        "No limit yet",
        "A privacy floor says what nobody may loosen: the least redaction and the longest retention per privacy level, "
        "events that stay on or off, and the range of sampling rates.",
    )
    add_ability = "floor.edit"
    change_ability = "floor.edit"
    form = FloorForm
    change_form_after_template = "studio/components/floor_impact.html"
    list_display = ["holds_for_name", "limits", "events", "sampling", "changed"]
    list_select_related = ["app"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[FloorRecord]:
        """With the app's name."""
        return super().get_queryset(request).select_related("app")

    def get_fieldsets(self, request: HttpRequest, obj: FloorRecord | None = None) -> Any:
        """By level first."""
        levels = [(f"redaction_{level}", f"days_{level}") for level in LEVELS]
        scope = [] if obj else [(None, {"fields": ["holds_for"]})]
        return [
            *scope,
            ("By privacy level", {"fields": [*levels, "expected_revision"]}),
            ("Events", {"fields": ["forced_off", "forced_on"]}),
            ("Sampling", {"fields": [("minimum_rate", "maximum_rate")]}),
            ("Refused events", {"fields": ["forbid_quarantine"]}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form says itself which fields it has: it makes some per level."""
        return super().get_form(request, obj, change, **kwargs | {"fields": []})

    @display(description="Holds for")
    def holds_for_name(self, record: FloorRecord) -> str:
        """The app, or everything."""
        return f"App {record.app}" if record.app else "The whole organisation"

    @display(description="By privacy level")
    def limits(self, record: FloorRecord) -> SafeString:
        """Each level that has a limit, with its limits."""
        found = list(_limits(floor_of(record)))
        return format_html_join("", '<div class="limits">{} {}</div>', found) if found else markup.words([])

    @display(description="Events")
    def events(self, record: FloorRecord) -> str:
        """How many events are forced off and on."""
        floor = floor_of(record)
        return f"{len(floor.forced_off)} off, {len(floor.forced_on)} on"

    @display(description="Sampling")
    def sampling(self, record: FloorRecord) -> str:
        """The range."""
        bounds = floor_of(record).sampling
        if bounds is None:
            return markup.ABSENT
        return f"{markup.percent(bounds.minimum_rate)} to {markup.percent(bounds.maximum_rate)}"

    @display(description="Changed", ordering="updated_at")
    def changed(self, record: FloorRecord) -> SafeString:
        """When, and by whom."""
        return format_html("{} by {}", markup.when(record.updated_at), record.updated_by_label)

    def head_of(self, request: HttpRequest, row: FloorRecord) -> Head:
        """For whom, and since when."""
        return Head(facts=(Fact("Holds for", self.holds_for_name(row)), Fact("Changed", self.changed(row))))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """With what the floor in the form would do, if that was asked."""
        form = context["adminform"].form
        if form.is_bound and form.is_looked_at and not form.errors:
            context |= _impact(actor_of(request), form)
        may_look = self.has_change_permission(request)
        return super().render_change_form(request, context | {"may_look": may_look}, *args, **kwargs)

    def save_row(self, request: HttpRequest, row: Any, form: Any, formsets: Any, change: bool) -> FloorRecord:
        """The floor as the form holds it."""
        return save_floor(
            actor=actor_of(request),
            app=row.app if change else form.cleaned_data["holds_for"],
            floor=form.floor(),
            expected_revision=form.cleaned_data["expected_revision"],
        )


def _impact(actor: Actor, form: FloorForm) -> dict[str, Any]:
    app = form.instance.app if form.instance.pk else form.cleaned_data["holds_for"]
    report, unknown = impact_of_floor(actor=actor, app=app, floor=form.floor(), page_size=SHOWN)
    return {
        "floor_summary": report.summary,
        "impact_groups": list(impact_groups(report.items)),
        "impact_more": report.total - len(report.items),
        "unknown_events": unknown,
    }


def _limits(floor: PrivacyFloor) -> Iterator[tuple[SafeString, str]]:
    for level in LEVELS:
        strategy, days = floor.minimum_redaction.get(level), floor.maximum_retention_days.get(level)
        parts = [f"at least {strategy}" if strategy else "", f"at most {days} days" if days else ""]
        said = ", ".join(part for part in parts if part)
        if said:
            yield markup.privacy_chip(level), said
