"""The form of the toggles page: one row per event on the page, and the switches of the whole installation."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple, cast

import msgspec
from django import forms
from django.forms import BoundField
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from studio import markup
from studio.pages.forms import PageForm, errors_of, sentence, statement, summary_field
from telemetry.core.config import EventOverride, Provenance, SpecPointer, TenantOverride
from telemetry.core.enums import Layer, RetentionPolicy, UndeclaredPolicy
from telemetry.core.errors import TelemetryError
from telemetry.core.layers import event_reference
from telemetry.core.override_editing import with_own
from telemetry.core.paths import key_path
from telemetry.selectors.specs import versions_to_bind
from telemetry.services.toggles import EditedOverride, ToggleEvent, ToggleGrid, Toggles

__all__ = [
    "OWN_FIELDS",
    "Cell",
    "ToggleRow",
    "TogglesForm",
    "percent_text",
    "said_by",
    "share_of",
    "state_of",
    "switch_choices",
    "word",
]

# Each field of a row, and the place in the effective config that tells what holds.
LEAVES: Final[Mapping[str, str]] = {
    "enabled": "enabled",
    "rate": "sampling.rate",
    "days": "retention.days",
    "policy": "retention.policy",
}
# And the key of the override that it stands for.
KEYS: Final[Mapping[str, str]] = {
    "enabled": "enabled",
    "rate": "samplingRate",
    "days": "retentionDays",
    "policy": "retentionPolicy",
}
# The attribute of the override that each field, and each summary, stands for.
OWN_FIELDS: Final[Mapping[str, str]] = {
    "enabled": "enabled",
    "rate": "sampling_rate",
    "days": "retention_days",
    "policy": "retention_policy",
    "hidden": "redaction",
    "watched": "anomaly_detection",
}


class Cell(NamedTuple):
    """One value of a row: its field, what holds, which layer set that, where it did, and what was asked in vain."""

    field: BoundField
    holds: str
    layer: Layer
    hint: str
    refused: str = ""


class Summary(NamedTuple):
    """What a row says of something that has a page of its own: in words, and the strongest layer behind it."""

    text: str
    layer: Layer
    is_own: bool


class ToggleRow(NamedTuple):
    """One event; ``reference`` names it in fields and buttons."""

    reference: str
    event: Any
    is_own: bool
    enabled: Cell
    rate: Cell
    days: Cell
    policy: Cell
    hidden: Summary
    watched: Summary


class TogglesForm(PageForm):
    """Toggles of the events on this page, the installation's own switches, and the spec that it obeys."""

    telemetry = forms.TypedChoiceField(
        label="Telemetry of this installation",
        required=False,
        coerce=lambda text: text == "on",
        empty_value=None,
        widget=UnfoldAdminSelectWidget(),
    )
    spec = forms.ChoiceField(label="Spec", required=False, widget=UnfoldAdminSelectWidget())
    default_rate = forms.DecimalField(
        label="Default share (%)",
        required=False,
        min_value=0,
        max_value=100,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "placeholder": "inherit"}),
    )
    undeclared = forms.ChoiceField(
        label="Undeclared properties",
        required=False,
        choices=[("", "inherit"), *((policy.value, policy.value) for policy in UndeclaredPolicy)],
        widget=UnfoldAdminSelectWidget(),
    )
    change_summary = summary_field(lines=1)
    expected_checksum = forms.CharField(required=False, widget=forms.HiddenInput())
    expected_number = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(
        self,
        data: Any = None,
        *,
        edited: EditedOverride,
        toggles: Toggles | None = None,
        page: ToggleGrid | None = None,
    ) -> None:
        super().__init__(data)
        self.edited, self.toggles, self.page = edited, toggles, page
        override = edited.override
        self.fields["change_summary"].required = data is not None and "publish" in data
        pinned = _pin(override.spec)
        self.initial.update(
            state_of(edited),
            spec=pinned,
            telemetry=word(override.enabled),
            default_rate=None
            if override.default_sampling_rate is None
            else percent_text(override.default_sampling_rate),
            undeclared=override.undeclared_properties or "",
        )
        cast("forms.ChoiceField", self.fields["spec"]).choices = _spec_choices(pinned)
        switch = cast("forms.ChoiceField", self.fields["telemetry"])
        switch.choices = switch_choices(None if page is None else page.enabled_by_default)
        for row in () if page is None else page.events:
            self._add_event(row)

    # Building

    def _add_event(self, row: ToggleEvent) -> None:
        reference, inherited = _reference(row), row.inherited
        label = f"{row.event.name} version {row.event.version}"
        self.fields[f"enabled:{reference}"] = forms.ChoiceField(
            label=f"Collect {label}",
            required=False,
            disabled=row.forced,
            choices=switch_choices(inherited.enabled),
            widget=UnfoldAdminSelectWidget(attrs={"class": "toggle"}),
        )
        self.fields[f"rate:{reference}"] = forms.DecimalField(
            label=f"Share kept of {label}, in percent",
            required=False,
            min_value=0,
            max_value=100,
            widget=UnfoldAdminDecimalFieldWidget(
                attrs={"class": "toggle", "step": "any", "placeholder": percent_text(inherited.sampling.rate)}
            ),
        )
        self.fields[f"days:{reference}"] = forms.IntegerField(
            label=f"Days that {label} is kept",
            required=False,
            widget=UnfoldAdminIntegerFieldWidget(
                attrs={"class": "toggle", "placeholder": str(inherited.retention.days)}
            ),
        )
        self.fields[f"policy:{reference}"] = forms.ChoiceField(
            label=f"What happens to {label} after that",
            required=False,
            choices=[
                ("", f"inherit ({inherited.retention.policy})"),
                *((each.value, each.value) for each in RetentionPolicy),
            ],
            widget=UnfoldAdminSelectWidget(attrs={"class": "toggle"}),
        )
        own = row.own
        self.initial.update(
            {
                f"enabled:{reference}": word(own.enabled),
                f"rate:{reference}": None if own.sampling_rate is None else percent_text(own.sampling_rate),
                f"days:{reference}": own.retention_days,
                f"policy:{reference}": own.retention_policy or "",
            }
        )

    def switch_off(self) -> None:
        """Every field can be read and none be changed."""
        for field in self.fields.values():
            field.disabled = True

    # Reading

    def override(self) -> TenantOverride:
        """The override that the form describes; what it does not show stays as it was."""
        data = self.cleaned_data
        override = msgspec.structs.replace(
            self.edited.override,
            enabled=data["telemetry"],
            spec=_pointer(data["spec"]),
            default_sampling_rate=share_of(data["default_rate"]),
            undeclared_properties=UndeclaredPolicy(data["undeclared"]) if data["undeclared"] else None,
        )
        if self.toggles is None or self.page is None:
            return override
        asked = {(row.event.name, row.event.version): self._own(row) for row in self.page.events}
        own = self.toggles.own_of(asked, lambda said: said)
        return with_own(override, {**own, **asked})

    def _own(self, row: ToggleEvent) -> EventOverride:
        reference, data = _reference(row), self.cleaned_data
        if f"days:{reference}" not in self.data:
            # The spec got the event after the page was made.
            return row.own
        policy = data[f"policy:{reference}"]
        return msgspec.structs.replace(
            row.own,
            enabled={"on": True, "off": False}.get(data[f"enabled:{reference}"]),
            sampling_rate=share_of(data[f"rate:{reference}"]),
            retention_days=data[f"days:{reference}"],
            retention_policy=RetentionPolicy(policy) if policy else None,
        )

    def refuse(self, error: TelemetryError) -> None:
        """What was refused stands beside its field; what no field shows, above the grid with its path."""
        for each in errors_of(error):
            names = [name for name, path in self._paths() if each.path == path]
            for name in names:
                self.add_error(name, sentence(each.message))
            if not names:
                self.add_error(None, statement(each))

    def _paths(self) -> Iterator[tuple[str, str]]:
        """Each field with the places in the override's document that it stands for."""
        yield from (("telemetry", "enabled"), ("change_summary", "change_summary"))
        yield from (("spec", path) for path in ("spec", "spec.name", "spec.version"))
        yield from (("default_rate", "defaultSamplingRate"), ("undeclared", "undeclaredProperties"))
        for row in () if self.page is None else self.page.events:
            reference = _reference(row)
            for key in (row.event.name, reference):
                path = key_path("events", key)
                yield from ((f"{name}:{reference}", f"{path}.{place}") for name, place in KEYS.items())

    # Showing

    def grid(self) -> Iterator[ToggleRow]:
        """One row per event on the page, in the order of the spec."""
        if self.page is not None:
            for row in self.page.events:
                yield self._row(row, self.page.config.provenance)

    def _row(self, row: ToggleEvent, provenance: Mapping[str, Provenance]) -> ToggleRow:
        reference, event = _reference(row), row.event
        prefix = f"events[{reference}]"
        holds = {
            "enabled": word(event.enabled),
            "rate": markup.percent(event.sampling.rate),
            "days": markup.counted(event.retention.days, "day"),
            "policy": event.retention.policy.value,
        }
        asked = {
            "enabled": word(row.own.enabled),
            "rate": "" if row.own.sampling_rate is None else markup.percent(row.own.sampling_rate),
            "days": "" if row.own.retention_days is None else markup.counted(row.own.retention_days, "day"),
            "policy": row.own.retention_policy or "",
        }
        cells = {}
        for name, leaf in LEAVES.items():
            trace = provenance[f"{prefix}.{leaf}"]
            refused = asked[name] if Layer.TENANT in trace.limited else ""
            cells[name] = Cell(self[f"{name}:{reference}"], holds[name], *said_by(trace), refused)
        if row.forced:
            cells["enabled"] = cells["enabled"]._replace(layer=Layer.FLOOR, hint="A privacy floor keeps it so")
        return ToggleRow(
            reference,
            event,
            row.own != EventOverride(),
            **cells,
            hidden=_hidden(row, prefix, provenance),
            watched=_watched(row, provenance[f"{prefix}.anomalyDetection.enabled"]),
        )


def state_of(edited: EditedOverride) -> dict[str, Any]:
    """What a form was filled from, for compare-and-set."""
    live, draft = edited.live, edited.draft
    return {
        "expected_checksum": "" if draft is None else draft.checksum,
        "expected_number": None if live is None else live.number,
    }


def switch_choices(inherited: bool | None) -> list[tuple[str, str]]:
    """Inherit, and to what that leads; on; off."""
    shown = "" if inherited is None else f" ({word(inherited)})"
    return [("", f"inherit{shown}"), ("on", "on"), ("off", "off")]


def word(switch: bool | None) -> str:
    """The choice for a switch."""
    return {True: "on", False: "off", None: ""}[switch]


def said_by(provenance: Provenance) -> tuple[Layer, str]:
    """The layer that set a value, and in a sentence where it did and whom it did not follow."""
    place = f", {provenance.path}" if provenance.path else ""
    refused = f"; not followed: {', '.join(provenance.limited)}" if provenance.limited else ""
    return provenance.layer, f"Set by {provenance.layer}{place}{refused}"


def percent_text(rate: float) -> str:
    """The ratio in percent, without the noise of binary fractions."""
    return format((Decimal(repr(rate)) * 100).normalize(), "f")


def share_of(percent: Decimal | None) -> float | None:
    """The ratio 0-1 of a share in percent."""
    return None if percent is None else float(percent / 100)


def _reference(row: ToggleEvent) -> str:
    return event_reference(row.event.name, row.event.version)


def _hidden(row: ToggleEvent, prefix: str, provenance: Mapping[str, Provenance]) -> Summary:
    """How many properties are hidden, and the strongest layer that hides one."""
    properties = row.event.properties
    hidden = [name for name, each in properties.items() if each.redaction is not None]
    layers = [provenance[f"{key_path(f'{prefix}.properties', name)}.redaction"].layer for name in hidden]
    strongest = max(layers, key=tuple(Layer).index, default=Layer.EVENT)
    is_own = bool(row.own.redaction) or row.own.privacy is not None
    return Summary(f"{len(hidden)} of {len(properties)}", strongest, is_own)


def _watched(row: ToggleEvent, trace: Provenance) -> Summary:
    """Whether anomalies are looked for, and by how many rules."""
    rules = row.event.anomaly_detection
    count = len(rules.thresholds) + len(rules.rules)
    text = markup.counted(count, "rule") if rules.enabled else "off"
    return Summary(text, trace.layer, row.own.anomaly_detection is not None)


def _spec_choices(pinned: str) -> list[tuple[str, str]]:
    """What the installation can be bound to: what the app says, the latest version of a spec, or exactly one."""
    choices = [("", "as the app's blueprint says")]
    seen = ""
    for name, version in versions_to_bind():
        if name != seen:
            choices.append((_pin(SpecPointer(name=name)), f"{name}, always the latest"))
            seen = name
        choices.append((_pin(SpecPointer(name=name, version=version)), f"{name}, version {version}"))
    if pinned not in dict(choices):
        choices.append((pinned, f"{pinned} (not published)"))
    return choices


def _pin(pointer: SpecPointer | None) -> str:
    return "" if pointer is None else f"{pointer.name}@{pointer.version or 'latest'}"


def _pointer(pin: str) -> SpecPointer | None:
    name, _, version = pin.rpartition("@")
    if not name:
        return None
    return SpecPointer(name=name, version=None if version == "latest" else int(version))
