"""The form of the toggles page: one row per event of the spec that is bound."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple, cast

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
from telemetry.core.config import EffectiveConfig, EffectiveEvent, Provenance, SpecPointer, TenantOverride
from telemetry.core.enums import Layer
from telemetry.core.errors import Conflict, TelemetryError
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.selectors.configs import config_layers
from telemetry.selectors.specs import versions_to_bind
from telemetry.services.configs import floor_behind, preview_config
from telemetry.services.toggles import EventToggle, apply_toggles, toggles_of, without_toggles
from tenants.mappers import override_of
from tenants.models import Installation, TenantAppConfig
from tenants.selectors import draft_config, published_config

__all__ = ["Baseline", "ToggleRow", "TogglesForm", "baseline_of", "state_of"]


class Resolved(NamedTuple):
    """What holds with an override's toggles and without them, and the events that a floor keeps on or off."""

    config: EffectiveConfig
    inherited: dict[str, EffectiveEvent]
    is_on_by_default: bool
    forced: frozenset[str]


class Baseline(NamedTuple):
    """What the page starts from: the draft, else what is live.

    ``resolved`` is ``None`` when no published spec is bound, and ``problem`` says so.
    """

    live: TenantAppConfig | None
    draft: TenantAppConfig | None
    override: TenantOverride
    resolved: Resolved | None
    problem: str = ""


def baseline_of(installation: Installation) -> Baseline:
    """The state of the installation now; at most seven queries."""
    live, draft = published_config(installation), draft_config(installation)
    edited = draft or live
    override = TenantOverride() if edited is None else override_of(edited)
    try:
        return Baseline(live, draft, override, _resolve(installation, override))
    except Conflict as error:
        return Baseline(live, draft, override, None, error.message)


def _resolve(installation: Installation, override: TenantOverride) -> Resolved:
    without = preview_config(installation, without_toggles(override))
    floor = floor_behind(config_layers(installation.pk))
    return Resolved(
        preview_config(installation, override),
        {event_reference(event.name, event.version): event for event in without.events},
        without.enabled,
        frozenset((*floor.forced_on, *floor.forced_off)),
    )


def state_of(baseline: Baseline) -> dict[str, Any]:
    """What the form was filled from, for compare-and-set."""
    live, draft = baseline.live, baseline.draft
    return {
        "expected_checksum": "" if draft is None else draft.checksum,
        "expected_number": None if live is None else live.number,
    }


class Cell(NamedTuple):
    """One value of a row: its field, what holds, which layer set that, and where it did."""

    field: BoundField
    holds: str
    layer: Layer
    hint: str


class ToggleRow(NamedTuple):
    """One event."""

    event: EffectiveEvent
    enabled: Cell
    rate: Cell
    days: Cell


class TogglesForm(PageForm):
    """Toggles of every event, the installation's own switch, and the spec that it obeys."""

    telemetry = forms.TypedChoiceField(
        label="Telemetry of this installation",
        required=False,
        coerce=lambda word: word == "on",
        empty_value=None,
        widget=UnfoldAdminSelectWidget(),
    )
    spec = forms.ChoiceField(label="Spec", required=False, widget=UnfoldAdminSelectWidget())
    change_summary = summary_field(lines=1)
    expected_checksum = forms.CharField(required=False, widget=forms.HiddenInput())
    expected_number = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(self, data: Any = None, *, baseline: Baseline) -> None:
        super().__init__(data)
        self.baseline = baseline
        resolved = baseline.resolved
        self.events = () if resolved is None else resolved.config.events
        self.fields["change_summary"].required = data is not None and "publish" in data
        pinned = _pin(baseline.override.spec)
        self.initial.update(state_of(baseline), spec=pinned)
        cast("forms.ChoiceField", self.fields["spec"]).choices = _spec_choices(pinned)
        switch = cast("forms.ChoiceField", self.fields["telemetry"])
        switch.choices = _switch_choices(None if resolved is None else resolved.is_on_by_default)
        self.initial["telemetry"] = _word(baseline.override.enabled)
        if resolved is not None:
            for toggle in self._own():
                self._add_event(toggle, resolved)

    # Building

    def _own(self) -> tuple[EventToggle, ...]:
        return toggles_of(self.baseline.override, ((event.name, event.version) for event in self.events))

    def _add_event(self, toggle: EventToggle, resolved: Resolved) -> None:
        reference = event_reference(toggle.name, toggle.version)
        inherited = resolved.inherited[reference]
        label = f"{toggle.name} version {toggle.version}"
        self.fields[f"enabled:{reference}"] = forms.ChoiceField(
            label=f"Collect {label}",
            required=False,
            disabled=not resolved.forced.isdisjoint((toggle.name, reference)),
            choices=_switch_choices(inherited.enabled),
            widget=UnfoldAdminSelectWidget(attrs={"class": "toggle"}),
        )
        self.fields[f"rate:{reference}"] = forms.DecimalField(
            label=f"Share kept of {label}, in percent",
            required=False,
            min_value=0,
            max_value=100,
            widget=UnfoldAdminDecimalFieldWidget(
                attrs={"class": "toggle", "step": "any", "placeholder": _percent(inherited.sampling.rate)}
            ),
        )
        self.fields[f"days:{reference}"] = forms.IntegerField(
            label=f"Days that {label} is kept",
            required=False,
            widget=UnfoldAdminIntegerFieldWidget(
                attrs={"class": "toggle", "placeholder": str(inherited.retention.days)}
            ),
        )
        self.initial.update(
            {
                f"enabled:{reference}": _word(toggle.enabled),
                f"rate:{reference}": None if toggle.sampling_rate is None else _percent(toggle.sampling_rate),
                f"days:{reference}": toggle.retention_days,
            }
        )

    def switch_off(self) -> None:
        """Every field can be read and none be changed."""
        for field in self.fields.values():
            field.disabled = True

    # Reading

    def override(self) -> TenantOverride:
        """The override that the form describes; what it does not show stays as it was."""
        switch, pin = self.cleaned_data["telemetry"], self.cleaned_data["spec"]
        override = msgspec.structs.replace(self.baseline.override, enabled=switch, spec=_pointer(pin))
        return apply_toggles(override, [self._toggle(own) for own in self._own()])

    def _toggle(self, own: EventToggle) -> EventToggle:
        reference = event_reference(own.name, own.version)
        if f"days:{reference}" not in self.data:
            # The spec got the event after the page was made.
            return own
        word = self.cleaned_data[f"enabled:{reference}"]
        rate = self.cleaned_data[f"rate:{reference}"]
        return own._replace(
            enabled={"on": True, "off": False}.get(word),
            sampling_rate=None if rate is None else float(rate / 100),
            retention_days=self.cleaned_data[f"days:{reference}"],
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
        for event in self.events:
            reference = event_reference(event.name, event.version)
            for key in (event.name, reference):
                path = key_path("events", key)
                yield f"enabled:{reference}", f"{path}.enabled"
                yield f"rate:{reference}", f"{path}.samplingRate"
                yield f"days:{reference}", f"{path}.retentionDays"

    # Showing

    def grid(self) -> Iterator[ToggleRow]:
        """One row per event, in the order of the spec."""
        resolved = self.baseline.resolved
        if resolved is None:
            return
        for event in self.events:
            reference = event_reference(event.name, event.version)
            traces = {key: resolved.config.provenance[f"events[{reference}].{key}"] for key in _LEAVES}
            enabled = Cell(self[f"enabled:{reference}"], _word(event.enabled), *_said(traces["enabled"]))
            if not resolved.forced.isdisjoint((event.name, reference)):
                enabled = enabled._replace(layer=Layer.FLOOR, hint="A privacy floor keeps it so")
            rate = Cell(self[f"rate:{reference}"], markup.percent(event.sampling.rate), *_said(traces["sampling.rate"]))
            days = Cell(self[f"days:{reference}"], _days(event.retention.days), *_said(traces["retention.days"]))
            yield ToggleRow(event, enabled, rate, days)


_LEAVES = ("enabled", "sampling.rate", "retention.days")


def _switch_choices(inherited: bool | None) -> list[tuple[str, str]]:
    shown = "" if inherited is None else f" ({_word(inherited)})"
    return [("", f"inherit{shown}"), ("on", "on"), ("off", "off")]


def _word(switch: bool | None) -> str:
    return {True: "on", False: "off", None: ""}[switch]


def _said(provenance: Provenance) -> tuple[Layer, str]:
    """The layer that set a value, and where it did."""
    place = f", {provenance.path}" if provenance.path else ""
    refused = f"; not followed: {', '.join(provenance.limited)}" if provenance.limited else ""
    return provenance.layer, f"Set by {provenance.layer}{place}{refused}"


def _percent(rate: float) -> str:
    """The ratio in percent, without the noise of binary fractions."""
    return format((Decimal(repr(rate)) * 100).normalize(), "f")


def _days(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"


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
    if not pin:
        return None
    name, _, version = pin.rpartition("@")
    return SpecPointer(name=name, version=None if version == "latest" else int(version))
