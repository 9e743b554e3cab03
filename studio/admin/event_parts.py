"""The rows of an event's form: its properties and its thresholds."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.forms import PaginationInlineFormSet
from unfold.widgets import UnfoldBooleanWidget

from studio.admin.fields import LinesField, NumberField, SwitchField, TextField, WordField, overlay, without_blanks
from studio.admin.refusals import Refusal, ServiceForm
from studio.pages.forms import place_of
from studio.redaction_settings import number_of, setting_document, text_of_number
from telemetry.core.enums import PropertyType, RedactionStrategy
from telemetry.core.paths import key_path
from telemetry.models import PropertyRecord, ThresholdRecord

__all__ = [
    "PartFormSet",
    "PropertyForm",
    "PropertyFormSet",
    "ThresholdForm",
    "field_in_rows",
    "filled_rows",
    "ordered_rows",
    "place_in_rows",
]


class PlaceField(forms.IntegerField):
    """Where a row stands among the others, from 0; alone it makes no row count as filled in."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput())

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Never, see above."""
        return False


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
    allowed_values = LinesField(label="Allowed values", help_text="One per line. Empty: every value of the type.")
    unit = TextField(help_text="What a number counts, such as ms or EUR.")
    description = TextField()
    place = PlaceField()

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
        self.initial["allowed_values"] = [text_of_number(value) for value in record.allowed_values]

    def document(self, stored: Mapping[str, Any]) -> dict[str, Any]:
        """The property in document terms; what the row does not show stays as in ``stored``."""
        data = self.cleaned_data
        shown = {
            "type": data["type"],
            "required": data["required"] or None,
            "pii": data["pii"],
            "redact": data["redact"] or None,
            "redaction": self._redaction(),
            "allowedValues": self._allowed_values(),
            "unit": data["unit"],
            "description": data["description"],
        }
        return overlay(stored, shown)

    def _allowed_values(self) -> list[str | int | float]:
        values: list[str] = self.cleaned_data["allowed_values"]
        if self.cleaned_data["type"] != PropertyType.NUMBER:
            return list(values)
        return [text if (number := number_of(text)) is None else number for text in values]

    def _redaction(self) -> dict[str, Any]:
        strategy, setting = self.cleaned_data["redaction_strategy"], self.cleaned_data["setting"].strip()
        if not strategy and not setting:
            return {}
        return {"strategy": strategy or RedactionStrategy.MASK.value, **setting_document(strategy, setting)}


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


class PartFormSet(PaginationInlineFormSet):
    """Rows that are stored anew whenever the event is saved: what they were called in the database means nothing."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """The row's number is taken as it comes: by now, somebody else may have saved the event."""
        super().add_fields(form, index)
        form.fields["id"] = forms.CharField(required=False, initial=form.instance.pk, widget=forms.HiddenInput())
        if "place" in form.fields and index is not None:
            form.fields["place"].initial = index


class PropertyFormSet(PartFormSet):
    """The properties of one event: a name occurs once."""

    def validate_unique(self) -> None:
        """A name that a row above has is refused in its own row."""
        seen: set[str] = set()
        for row in filled_rows(self):
            name = row.cleaned_data.get("name")
            if name in seen:
                row.add_error("name", "This name is in the list already.")
            seen.add(name)


def place_in_rows(refusal: Refusal, properties: Any, thresholds: Any) -> None:
    """Errors about a property or threshold stand in its row; the others are left for the event's own form."""
    for row in filled_rows(properties):
        refusal.move(_place_of_property(row.cleaned_data["name"]), row, _PROPERTY_FIELDS)
    for index, row in enumerate(filled_rows(thresholds)):
        refusal.move(_place_of_threshold(index), row, _THRESHOLD_FIELDS)


def field_in_rows(path: str, properties: Any, thresholds: Any) -> Any:
    """The field that shows the place inside the event; ``None`` if no row does."""
    places = [(_place_of_property(row["name"].value() or ""), row, _PROPERTY_FIELDS) for row in properties.forms]
    bounds = (row for row in thresholds.forms if row["metric"].value())
    places += [(_place_of_threshold(index), row, _THRESHOLD_FIELDS) for index, row in enumerate(bounds)]
    for prefix, row, fields in places:
        found = re.match(prefix, path)
        if found:
            return row[place_of(path[found.end() :], fields) or ""]
    return None


def _place_of_property(name: str) -> str:
    """A pattern for the start of every path in the property."""
    paths = {key_path("properties", name), f"properties.{name}"}
    return f"(?:{'|'.join(map(re.escape, sorted(paths)))})(?=[.\\[]|\\Z)"


def _place_of_threshold(index: int) -> str:
    return rf"anomalyDetection\.thresholds\[{index}\]"


_PROPERTY_FIELDS = {
    r"\.type": "type",
    r"\.pii": "pii",
    r"\.redaction\.(length|unit|bucket)": "setting",
    r"\.redaction": "redaction_strategy",
    r"\.allowedValues": "allowed_values",
    r"\.unit": "unit",
    r"\.description": "description",
    "": "name",
}
_THRESHOLD_FIELDS = {r"\.min": "min", r"\.max": "max", "": "metric"}


def ordered_rows(formset: Any) -> list[Any]:
    """All rows in the order of their places; one without a place is where the browser numbered it."""
    rows = enumerate(formset.forms)
    return [row for _, row in sorted(rows, key=lambda each: (_place(each[1], each[0]), each[0]))]


def filled_rows(formset: Any) -> list[Any]:
    """The rows that stay, in the order of their places: neither empty nor marked for removal."""
    rows = ordered_rows(formset)
    return [row for row in rows if getattr(row, "cleaned_data", None) and not row.cleaned_data.get("DELETE")]


def _place(row: Any, index: int) -> int:
    if "place" not in row.fields:
        return index
    text = str(row["place"].value())
    return int(text) if text.isascii() and text.isdigit() else index


def _setting_of(record: PropertyRecord) -> str:
    """The one setting that the strategy has, as text."""
    settings = (record.redaction_length, record.redaction_unit, record.redaction_bucket)
    return text_of_number(next((setting for setting in settings if setting is not None), ""))
