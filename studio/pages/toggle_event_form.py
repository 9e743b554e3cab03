"""All that an override can say of one event, in one form."""

from typing import Any, Final

import msgspec
from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from studio import markup
from studio.pages.forms import PageForm
from studio.pages.toggles_form import Cell, percent_text, said_by, share_of, state_of, switch_choices, word
from studio.redaction_settings import setting_document, setting_text
from telemetry.core.codec import convert_document
from telemetry.core.config import AnomalyOverride, EventOverride, Provenance
from telemetry.core.enums import Layer, PrivacyLevel, PropertyType, RedactionStrategy, RetentionPolicy
from telemetry.core.errors import FieldError, TelemetryError
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path, split_path
from telemetry.core.plain import to_plain
from telemetry.services.toggles import EditedOverride, ToggleEvent, ToggleGrid

__all__ = ["ToggleEventForm"]

# Rows for bounds that are not there yet.
SPARE_BOUNDS: Final = 3


class ToggleEventForm(PageForm):
    """What is empty is inherited."""

    enabled = forms.ChoiceField(label="Collected", required=False, widget=UnfoldAdminSelectWidget())
    privacy = forms.ChoiceField(label="Level at least", required=False, widget=UnfoldAdminSelectWidget())
    rate = forms.DecimalField(label="Share kept (%)", required=False, min_value=0, max_value=100)
    days = forms.IntegerField(label="Kept for (days)", required=False)
    policy = forms.ChoiceField(label="After that", required=False, widget=UnfoldAdminSelectWidget())
    watch = forms.ChoiceField(label="Watched for anomalies", required=False, widget=UnfoldAdminSelectWidget())
    sample = forms.IntegerField(label="Only from so many values on", required=False)
    own_bounds = forms.BooleanField(
        label="Use these bounds instead of the inherited ones", required=False, widget=UnfoldBooleanWidget()
    )
    expected_checksum = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, data: Any = None, *, edited: EditedOverride, row: ToggleEvent, page: ToggleGrid) -> None:
        super().__init__(data)
        self.row = row
        self._prefix = f"events[{event_reference(row.event.name, row.event.version)}]"
        self._provenance = page.config.provenance
        self.initial["expected_checksum"] = state_of(edited)["expected_checksum"]
        self._add_choices()
        self._add_properties()
        self._add_bounds()

    # Building

    def _add_choices(self) -> None:
        own, inherited = self.row.own, self.row.inherited
        self._choose("enabled", switch_choices(inherited.enabled), word(own.enabled))
        self.fields["enabled"].disabled = self.row.forced
        levels = [level for level in PrivacyLevel if level.rank > inherited.privacy.rank]
        self._choose(
            "privacy",
            [("", f"inherit ({inherited.privacy})"), *((level.value, level.value) for level in levels)],
            own.privacy or "",
        )
        policies = [(policy.value, policy.value) for policy in RetentionPolicy]
        self._choose("policy", [("", f"inherit ({inherited.retention.policy})"), *policies], own.retention_policy or "")
        anomalies = own.anomaly_detection or AnomalyOverride()
        self._choose("watch", switch_choices(inherited.anomaly_detection.enabled), word(anomalies.enabled))
        rate = UnfoldAdminDecimalFieldWidget(
            attrs={"step": "any", "placeholder": percent_text(inherited.sampling.rate)}
        )
        self.fields["rate"].widget = rate
        self.fields["days"].widget = UnfoldAdminIntegerFieldWidget(attrs={"placeholder": inherited.retention.days})
        self.fields["sample"].widget = UnfoldAdminIntegerFieldWidget(
            attrs={"placeholder": inherited.anomaly_detection.minimum_sample}
        )
        self.initial.update(
            rate=None if own.sampling_rate is None else percent_text(own.sampling_rate),
            days=own.retention_days,
            sample=anomalies.minimum_sample,
        )

    def _choose(self, name: str, choices: list[tuple[str, str]], chosen: str) -> None:
        known = dict(choices)
        # A wish that has no effect any more is shown, so that it can be taken back.
        self.fields[name].choices = choices if chosen in known else [*choices, (chosen, chosen)]  # type: ignore[attr-defined]
        self.initial[name] = chosen

    def _add_properties(self) -> None:
        for index, (name, definition) in enumerate(self.row.definition.properties.items()):
            inherited = self.row.inherited.properties[name].redaction
            own = self.row.own.redaction.get(name)
            shown = "shown" if inherited is None else inherited.strategy.value
            strategies = [(each.value, each.value.replace("_", " ")) for each in _fitting(definition.type)]
            self.fields[f"hide_{index}"] = forms.ChoiceField(
                label=f"How {name} is hidden",
                required=False,
                choices=[("", f"inherit ({shown})"), *strategies],
                widget=UnfoldAdminSelectWidget(),
            )
            self.fields[f"setting_{index}"] = forms.CharField(
                label=f"Setting for {name}",
                required=False,
                max_length=40,
                widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "setting"}),
            )
            self.initial[f"hide_{index}"] = "" if own is None else own.strategy.value
            self.initial[f"setting_{index}"] = setting_text(own)

    def _add_bounds(self) -> None:
        own = self.row.own.anomaly_detection
        thresholds = None if own is None else own.thresholds
        self.initial["own_bounds"] = thresholds is not None
        shown = self.row.inherited.anomaly_detection.thresholds if thresholds is None else thresholds
        for index in range(len(shown) + SPARE_BOUNDS):
            bound = shown[index] if index < len(shown) else None
            for key, label in (("metric", "Number"), ("min", "At least"), ("max", "At most")):
                name = f"{key}_{index}"
                value = None if bound is None else getattr(bound, key)
                if key == "metric":
                    self.fields[name] = forms.CharField(
                        label=label, required=False, max_length=200, widget=UnfoldAdminTextInputWidget()
                    )
                else:
                    self.fields[name] = forms.FloatField(
                        label=label, required=False, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"})
                    )
                self.initial[name] = int(value) if isinstance(value, float) and value.is_integer() else value

    def switch_off(self) -> None:
        """Every field can be read and none be changed."""
        for field in self.fields.values():
            field.disabled = True

    # Reading

    def own(self) -> EventOverride:
        """What the override is to say of the event; what the form does not show stays. Raises ``InvalidDocument``."""
        data = self.cleaned_data
        switches = {"on": True, "off": False}
        document = {
            "enabled": switches.get(data["enabled"]),
            "privacy": data["privacy"] or None,
            "samplingRate": share_of(data["rate"]),
            "retentionDays": data["days"],
            "retentionPolicy": data["policy"] or None,
            "redaction": self._redaction() or None,
            "anomalyDetection": self._anomalies(switches.get(data["watch"])) or None,
        }
        return convert_document(
            {key: value for key, value in document.items() if value is not None}, EventOverride, what="toggles"
        )

    def _redaction(self) -> dict[str, Any]:
        # What the override says of properties that the event does not have stays.
        kept: dict[str, Any] = {
            name: to_plain(redaction)
            for name, redaction in self.row.own.redaction.items()
            if name not in self.row.definition.properties
        }
        for index, name in enumerate(self.row.definition.properties):
            strategy, setting = self.cleaned_data[f"hide_{index}"], self.cleaned_data[f"setting_{index}"].strip()
            if strategy:
                kept[name] = {"strategy": strategy, **setting_document(strategy, setting)}
        return kept

    def _anomalies(self, enabled: bool | None) -> dict[str, Any]:
        before = self.row.own.anomaly_detection
        kept: Any = {} if before is None else to_plain(msgspec.structs.replace(before, thresholds=None))
        shown: dict[str, Any] = {"enabled": enabled, "minimumSample": self.cleaned_data["sample"]}
        if self.cleaned_data["own_bounds"]:
            shown["thresholds"] = self._thresholds()
        rest = {key: value for key, value in kept.items() if key not in ("enabled", "minimumSample")}
        return {**rest, **{key: value for key, value in shown.items() if value is not None}}

    def _thresholds(self) -> list[dict[str, Any]]:
        found = []
        for index in range(self.bound_count):
            bound = {key: self.cleaned_data[f"{key}_{index}"] for key in ("metric", "min", "max")}
            given = {key: value for key, value in bound.items() if value not in ("", None)}
            if given:
                found.append(given)
        return found

    def refuse(self, error: TelemetryError) -> None:
        """What was refused stands beside its field, as far as there is one."""
        properties = list(self.row.definition.properties)
        for each in error.errors or (FieldError(error.code, "", error.message),):
            path = split_path(each.path)
            inside = path[2:] if path[:1] == ("events",) else path
            self.add_error(_field_of(inside, properties, self.fields), _said(each, inside))

    # Showing

    @property
    def bound_count(self) -> int:
        """Rows for bounds."""
        return sum(name.startswith("metric_") for name in self.fields)

    def cell(self, name: str, leaf: str, holds: str) -> Cell:
        """A field with what holds and who said so."""
        trace = self._provenance[f"{self._prefix}.{leaf}"]
        return Cell(self[name], holds, *said_by(trace), _refused(trace))

    def cells(self) -> dict[str, Cell]:
        """The fields of the first panel."""
        event = self.row.event
        rules = event.anomaly_detection
        cells = {
            "enabled": self.cell("enabled", "enabled", word(event.enabled)),
            "privacy": self.cell("privacy", "privacy", event.privacy.value),
            "rate": self.cell("rate", "sampling.rate", markup.percent(event.sampling.rate)),
            "days": self.cell("days", "retention.days", markup.counted(event.retention.days, "day")),
            "policy": self.cell("policy", "retention.policy", event.retention.policy.value),
            "watch": self.cell("watch", "anomalyDetection.enabled", word(rules.enabled)),
            "sample": self.cell("sample", "anomalyDetection.minimumSample", str(rules.minimum_sample)),
        }
        if self.row.forced:
            cells["enabled"] = cells["enabled"]._replace(layer=Layer.FLOOR, hint="A privacy floor keeps it so")
        return cells

    def properties(self) -> list[tuple[str, str, Cell, Any]]:
        """Name and type of each property, its field with what holds, and the field of its setting."""
        rows = []
        for index, (name, definition) in enumerate(self.row.definition.properties.items()):
            holds = self.row.event.properties[name].redaction
            shown = "shown" if holds is None else " ".join(f"{holds.strategy} {setting_text(holds)}".split())
            leaf = f"{key_path('properties', name)}.redaction"
            rows.append(
                (name, definition.type.value, self.cell(f"hide_{index}", leaf, shown), self[f"setting_{index}"])
            )
        return rows

    def bounds(self) -> list[tuple[Any, Any, Any]]:
        """The fields of each threshold."""
        return [
            (self[f"metric_{index}"], self[f"min_{index}"], self[f"max_{index}"]) for index in range(self.bound_count)
        ]


_PLAIN_FIELDS: Final = {
    "enabled": "enabled",
    "privacy": "privacy",
    "samplingRate": "rate",
    "retentionDays": "days",
    "retentionPolicy": "policy",
}


def _field_of(path: tuple[str | int, ...], properties: list[str], fields: Any) -> str | None:
    match path:
        case (str(key), *_) if key in _PLAIN_FIELDS:
            return _PLAIN_FIELDS[key]
        case ("redaction", str(name), *rest) if name in properties:
            kind = "setting" if rest and rest[0] in ("length", "unit", "bucket") else "hide"
            return f"{kind}_{properties.index(name)}"
        case ("anomalyDetection", "minimumSample"):
            return "sample"
        case ("anomalyDetection", "thresholds", int(index), *rest):
            name = f"{rest[0] if rest and rest[0] in ('metric', 'min', 'max') else 'metric'}_{index}"
            return name if name in fields else None
    return None


def _said(error: FieldError, path: tuple[str | int, ...]) -> str:
    message = error.message[:1].upper() + error.message[1:]
    return message if path else str(error)


def _refused(trace: Provenance) -> str:
    return "what was asked here" if Layer.TENANT in trace.limited else ""


def _fitting(type_: PropertyType) -> list[RedactionStrategy]:
    """The strategies that may make sense for values of the type; the core says what does not."""
    texts_only = (RedactionStrategy.TRUNCATE, RedactionStrategy.EMAIL_DOMAIN)
    return [each for each in RedactionStrategy if type_ is PropertyType.STRING or each not in texts_only]
