"""The form of one event, without the rows of its properties and thresholds."""

from typing import Any, ClassVar, cast

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from studio.admin.event_fields import RateField, RowsField
from studio.admin.event_parts import filled_rows
from studio.admin.fields import (
    DocumentField,
    LinesField,
    RevisionField,
    SwitchField,
    TextField,
    WholeNumberField,
    WordField,
    overlay,
    without_blanks,
)
from studio.admin.refusals import ServiceForm
from telemetry.core import defaults
from telemetry.core.codec import convert_document
from telemetry.core.enums import AnomalyAction, PrivacyLevel, RetentionPolicy
from telemetry.core.plain import to_plain
from telemetry.core.spec import EventDefinition
from telemetry.mappers import event_from_record
from telemetry.models import EventRecord, SpecRecord

__all__ = ["EDITED", "EventForm", "event_of_forms"]


class EventForm(ServiceForm):
    """An event without its properties and thresholds."""

    places = {
        "name": "name",
        "version": "version",
        "semantics.what": "semantics_what",
        "semantics.who": "semantics_who",
        "semantics.why": "semantics_why",
        "privacy": "privacy",
        "tags": "tags",
        "owners": "owners",
        "reviewBy": "review_by",
        "deprecation.reason": "deprecation_reason",
        "deprecation": "deprecation_replaced_by",
        "lintOptOuts": "lint_opt_outs",
        "retention.days": "retention_days",
        "retention.policy": "retention_policy",
        "sampling.rate": "sampling_rate",
        "sampling.conditions": "sampling_conditions",
        "anomalyDetection.minimumSample": "anomaly_minimum_sample",
        "anomalyDetection.actions": "anomaly_actions",
        r"anomalyDetection\Z": "anomaly_enabled",
    }

    spec_choice = forms.ModelChoiceField(
        SpecRecord.objects.order_by("name"), label="Spec", widget=UnfoldAdminSelectWidget()
    )
    name = TextField(required=True, help_text="Such as <code>sigil.telemetry.workflow_step</code>.")
    version = WholeNumberField(
        required=True, initial=1, help_text="Raise it when the payload changes in a way that breaks readers."
    )
    semantics_what = TextField(label="What happened", required=True)
    semantics_who = TextField(label="Who did it", lines=2)
    semantics_why = TextField(label="Why it is collected", lines=2)
    tags = LinesField(help_text="One per line.")
    owners = LinesField(help_text="One per line, each with @. Empty: the spec's owners.")
    review_by = forms.CharField(
        label="Look at it again by", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    deprecation_reason = TextField(label="Deprecated because", help_text="Empty: it is in use.")
    deprecation_replaced_by = TextField(
        label="Replaced by", help_text="The event that is sent instead, such as <code>order_placed@2</code>."
    )
    lint_opt_outs = DocumentField(
        empty=[],
        rows=3,
        label="Lint opt-outs",
        help_text="Rules that do not hold here, as YAML: <code>- {rule: sampling_too_low, reason: rare event}</code>.",
    )
    privacy = forms.ChoiceField(
        label="Privacy level",
        choices=[(level.value, level.value) for level in PrivacyLevel],
        initial=PrivacyLevel.INTERNAL.value,
        widget=forms.RadioSelect(),
    )
    retention_days = WholeNumberField(label="Keep for (days)", help_text="Empty: the spec's default.")
    retention_policy = WordField(RetentionPolicy, label="Then", inherited="delete")
    sampling_rate = RateField(
        label="Share of subjects kept", help_text="Such as 25 % or 0.25. Empty: the spec's default."
    )
    sampling_conditions = RowsField(label="Conditions")
    anomaly_enabled = SwitchField(label="Anomaly rules", inherited="none")
    anomaly_minimum_sample = WholeNumberField(
        label="Minimum sample",
        help_text=f"Rules judge once a window holds this many values. Empty: {defaults.DEFAULT_MINIMUM_SAMPLE}.",
    )
    anomaly_actions = forms.MultipleChoiceField(
        label="On a breach",
        required=False,
        choices=[(action.value, action.value.replace("_", " ")) for action in AnomalyAction],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    expected_revision = RevisionField()
    # A rehearsal shows what saving would say, and never saves.
    is_rehearsal: ClassVar[bool] = False

    class Meta:
        model = EventRecord
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = self.instance
        self.fields["expected_revision"].required = record.pk is not None
        if record.pk is None:
            return
        del self.fields["spec_choice"]
        columns = set(self.fields) - {"expected_revision"}
        self.initial.update({column: getattr(record, column) for column in columns})
        self.initial["expected_revision"] = record.spec.draft_revision

    def is_valid(self) -> bool:
        """Whether it may be saved."""
        return super().is_valid() and not self.is_rehearsal

    def stored(self) -> dict[str, Any]:
        """The event in document terms, as it is stored now; empty for a new one. Two queries."""
        record = self.instance
        return {} if record.pk is None else cast("dict[str, Any]", to_plain(event_from_record(record)))

    def document(self) -> dict[str, Any]:
        """What the form shows of the event, in document terms."""
        data = self.cleaned_data
        texts = {key: data[f"semantics_{key}"] for key in ("what", "who", "why")}
        retention = without_blanks({"days": data["retention_days"], "policy": data["retention_policy"]})
        sampling = without_blanks({"rate": data["sampling_rate"], "conditions": data["sampling_conditions"]})
        deprecation = {"reason": data["deprecation_reason"], "replacedBy": data["deprecation_replaced_by"]}
        return {
            "name": data["name"],
            "version": data["version"],
            "semantics": without_blanks(texts),
            "privacy": data["privacy"],
            "retention": retention,
            "sampling": sampling,
            "tags": data["tags"],
            "owners": data["owners"],
            "reviewBy": data["review_by"],
            "deprecation": without_blanks(deprecation),
            "lintOptOuts": data["lint_opt_outs"],
        }

    def anomaly_document(self, thresholds: list[dict[str, Any]]) -> dict[str, Any]:
        """What the form shows of the anomaly rules, in document terms."""
        data = self.cleaned_data
        return {
            "enabled": data["anomaly_enabled"],
            "minimumSample": data["anomaly_minimum_sample"],
            "thresholds": thresholds,
            "actions": data["anomaly_actions"],
        }


# What people edit, and the revision that they edit; where a new event goes is asked apart.
EDITED = [name for name in EventForm.base_fields if name != "spec_choice"]


def event_of_forms(form: EventForm, properties: Any, thresholds: Any) -> EventDefinition:
    """The event that the three forms describe; what they do not show stays as it is stored.

    Raises ``InvalidDocument`` with paths inside the event.
    """
    stored = form.stored()
    known = stored.get("properties", {})
    shown = form.document()
    shown["properties"] = {
        row.cleaned_data["name"]: row.document(known.get(row.instance.name or row.cleaned_data["name"], {}))
        for row in filled_rows(properties)
    }
    anomaly = form.anomaly_document([row.document() for row in filled_rows(thresholds)])
    shown["anomalyDetection"] = overlay(stored.get("anomalyDetection", {}), anomaly)
    return convert_document(overlay(stored, shown), EventDefinition, what="event")
