"""The forms of one event: itself, its properties, its thresholds."""

import re
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget, UnfoldBooleanWidget

from studio.admin.fields import (
    LinesField,
    NumberField,
    RevisionField,
    SwitchField,
    TextField,
    WholeNumberField,
    WordField,
    without_blanks,
)
from studio.admin.refusals import Refusal, ServiceForm
from telemetry.core import defaults
from telemetry.core.codec import convert_document
from telemetry.core.enums import (
    AnomalyAction,
    PrivacyLevel,
    PropertyType,
    RedactionStrategy,
    RetentionPolicy,
    TimeUnit,
)
from telemetry.core.paths import key_path
from telemetry.core.spec import EventDefinition
from telemetry.models import EventRecord, PropertyRecord, SpecRecord, ThresholdRecord

__all__ = ["EventForm", "PropertyForm", "ThresholdForm", "event_of_forms", "place_in_rows"]


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
        required=True, initial=1, help_text="A new version when the payload changes in a way that breaks readers."
    )
    semantics_what = TextField(label="What happened", required=True)
    semantics_who = TextField(label="Who did it", lines=2)
    semantics_why = TextField(label="Why it is collected", lines=2)
    tags = LinesField(help_text="One per line.")
    privacy = WordField(
        PrivacyLevel,
        label="Privacy level",
        required=True,
        initial=PrivacyLevel.INTERNAL.value,
        help_text="public and internal hide flagged properties; pii also hides every text that is not declared free of "
        "personal data; sensitive hides everything.",
    )
    retention_days = WholeNumberField(label="Keep for (days)", help_text="Empty: the spec's default.")
    retention_policy = WordField(RetentionPolicy, label="Then", inherited="delete")
    sampling_rate = NumberField(
        label="Sampling rate", help_text="Share of subjects kept, 0 to 1. Empty: the spec's default."
    )
    sampling_conditions = LinesField(
        label="Conditions",
        help_text="One CEL expression per line, such as <code>properties.durationMs &gt; 100</code>. When all hold, "
        "the rate above counts, otherwise the spec's default. Needs a rate.",
    )
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

    def document(self) -> dict[str, Any]:
        """The event in document terms, without properties and thresholds."""
        data = self.cleaned_data
        texts = {key: data[f"semantics_{key}"] for key in ("what", "who", "why")}
        retention = without_blanks({"days": data["retention_days"], "policy": data["retention_policy"]})
        sampling = without_blanks({"rate": data["sampling_rate"], "conditions": data["sampling_conditions"]})
        return without_blanks(
            {
                "name": data["name"],
                "version": data["version"],
                "semantics": without_blanks(texts),
                "privacy": data["privacy"],
                "retention": retention,
                "sampling": sampling,
                "tags": data["tags"],
            }
        )

    def anomaly_document(self, thresholds: list[dict[str, Any]]) -> dict[str, Any]:
        """The anomaly rules in document terms, empty when nothing of them is set."""
        data = self.cleaned_data
        return without_blanks(
            {
                "enabled": data["anomaly_enabled"],
                "minimumSample": data["anomaly_minimum_sample"],
                "thresholds": thresholds,
                "actions": data["anomaly_actions"],
            }
        )


class PropertyForm(ServiceForm):
    """One property, in a row."""

    name = TextField(required=True)
    type = WordField(PropertyType, required=True, initial=PropertyType.STRING.value)
    required = forms.BooleanField(required=False, widget=UnfoldBooleanWidget())
    pii = SwitchField(label="Personal", on="yes", off="no", inherited="?", help_text="Whether it is personal data.")
    redact = forms.BooleanField(
        required=False, widget=UnfoldBooleanWidget(), help_text="Always hide it, whatever the privacy level."
    )
    redaction_strategy = WordField(RedactionStrategy, label="Hide by", inherited="not set")
    setting = TextField(
        help_text="For truncate: the characters kept. For generalise: day or month for a timestamp, the width of the "
        "range for a number."
    )
    description = TextField()

    # What the inline's admin asks of every form of a formset.
    places = {}

    class Meta:
        model = PropertyRecord
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        record = self.instance
        if record.pk is None:
            return
        columns = set(self.fields) - {"setting"}
        self.initial.update({column: getattr(record, column) for column in columns if hasattr(record, column)})
        self.initial["setting"] = _setting_of(record)

    def document(self) -> dict[str, Any]:
        """The property in document terms."""
        data = self.cleaned_data
        return without_blanks(
            {
                "type": data["type"],
                "required": data["required"] or None,
                "pii": data["pii"],
                "redact": data["redact"] or None,
                "redaction": self._redaction(),
                "description": data["description"],
            }
        )

    def _redaction(self) -> dict[str, Any]:
        strategy, setting = self.cleaned_data["redaction_strategy"], self.cleaned_data["setting"].strip()
        if not strategy and not setting:
            return {}
        return {"strategy": strategy or RedactionStrategy.MASK.value, **_setting_document(strategy, setting)}


class ThresholdForm(ServiceForm):
    """Bounds of one metric, in a row."""

    metric = TextField(required=True, help_text="A property of type number.")
    min = NumberField(label="At least")
    max = NumberField(label="At most")

    class Meta:
        model = ThresholdRecord
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial.update({column: getattr(self.instance, column) for column in ("metric", "min", "max")})

    def document(self) -> dict[str, Any]:
        """The threshold in document terms."""
        return without_blanks({key: self.cleaned_data[key] for key in ("metric", "min", "max")})


def event_of_forms(form: EventForm, properties: Any, thresholds: Any) -> EventDefinition:
    """The event that the three forms describe; raises ``InvalidDocument`` with paths inside the event."""
    document = form.document()
    rows = _filled_rows(properties)
    if rows:
        document["properties"] = {row.cleaned_data["name"]: row.document() for row in rows}
    anomaly = form.anomaly_document([row.document() for row in _filled_rows(thresholds)])
    if anomaly:
        document["anomalyDetection"] = anomaly
    return convert_document(document, EventDefinition, what="event")


def place_in_rows(refusal: Refusal, properties: Any, thresholds: Any) -> None:
    """Errors about a property or threshold stand in its row; the others are left for the event's own form."""
    for row in _filled_rows(properties):
        name = row.cleaned_data["name"]
        for path in {key_path("properties", name), f"properties.{name}"}:
            refusal.move(re.escape(path) + r"(?=[.\[]|\Z)", row, _PROPERTY_FIELDS)
    for index, row in enumerate(_filled_rows(thresholds)):
        refusal.move(rf"anomalyDetection\.thresholds\[{index}\]", row, _THRESHOLD_FIELDS)


_PROPERTY_FIELDS = {
    r"\.type": "type",
    r"\.pii": "pii",
    r"\.redaction\.(length|unit|bucket)": "setting",
    r"\.redaction": "redaction_strategy",
    r"\.description": "description",
    "": "name",
}
_THRESHOLD_FIELDS = {r"\.min": "min", r"\.max": "max", "": "metric"}


def _filled_rows(formset: Any) -> list[Any]:
    """The rows that stay, in their order: neither empty nor marked for removal."""
    return [row for row in formset.forms if getattr(row, "cleaned_data", None) and not row.cleaned_data.get("DELETE")]


def _setting_of(record: PropertyRecord) -> str:
    """The one setting that the strategy has, as text."""
    settings = (record.redaction_length, record.redaction_unit, record.redaction_bucket)
    found = next((setting for setting in settings if setting is not None), "")
    return f"{found:g}" if isinstance(found, float) else str(found)


def _setting_document(strategy: str, setting: str) -> dict[str, Any]:
    """The setting under the key that its strategy and form ask for; the core says what is wrong with it."""
    if not setting:
        return {}
    if setting in tuple(TimeUnit):
        return {"unit": setting}
    number = _number(setting)
    if strategy == RedactionStrategy.GENERALISE:
        return {"bucket": number} if number is not None else {"unit": setting}
    return {"length": setting if number is None else number}


def _number(text: str) -> int | float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number
