"""What the event editor shows around its form: tabs, what is wrong, and one payload before and after."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple, cast

import msgspec
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from studio import markup
from studio.admin.event_parts import field_in_rows, filled_rows, ordered_rows
from studio.pages.event_problems import (
    CONDITION_ID,
    TABS,
    ConditionRow,
    Problem,
    condition_rows,
    place_of_finding,
    problems_of,
)
from studio.pages.event_traffic import Settings, TrafficWords, traffic_words
from studio.pages.findings import rule_address
from studio.pages.forms import place_of
from telemetry.core import defaults
from telemetry.core.codec import convert_document
from telemetry.core.enums import PrivacyLevel, PropertyType, Severity
from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Violation
from telemetry.core.examples import example_payload, preview_payload
from telemetry.core.lint import Finding
from telemetry.core.redaction import required_redaction
from telemetry.core.spec import EventDefinition, PropertyDefinition, Semantics
from telemetry.mappers import defaults_from_record, event_from_parts
from telemetry.models import EventRecord, SpecRecord
from telemetry.selectors.event_traffic import traffic_of

__all__ = ["Editor", "Forms", "editor_of", "note_findings", "spec_of", "stored_event", "switch_off"]

# The event's own form, its properties and its thresholds.
Forms = tuple[Any, Any, Any]
_ATTRIBUTE: Final = "studio_findings"
_CONDITION: Final = re.compile(r"sampling\.conditions\[([0-9]+)\]")

# As in the core: a century.
MAXIMUM_DAYS: Final = 36_500
# A payload that a person types; far above what fits a screen.
LONGEST_EXAMPLE: Final = 20_000


class EditorTab(NamedTuple):
    """A tab and how much in it is wrong."""

    key: str
    title: str
    problems: int


class ShownFinding(NamedTuple):
    """A lint finding, with the tab where it can be settled, and what is there: the id and words of its field.

    ``target`` is empty for what no field shows. ``rule_address`` is where the rule is explained.
    """

    finding: Finding
    tab: str
    tone: str
    target: str
    place: str
    rule_address: str


class PayloadRow(NamedTuple):
    """One value of the example as it is kept: JSON text, and what hides it, if anything does."""

    name: str
    after: str
    is_kept: bool
    hidden_by: str
    why: str


class Example(NamedTuple):
    """The payload on show: its text, the text that the studio would write, what becomes of it, or why nothing can."""

    text: str
    generated: str
    problem: str = ""
    rows: tuple[PayloadRow, ...] = ()
    is_refused: bool = False
    violations: tuple[Violation, ...] = ()


class LevelRow(NamedTuple):
    """One property, and what each level makes of it: the strategy that hides it, or nothing."""

    name: str
    hidden_by: tuple[tuple[PrivacyLevel, str], ...]


class Inherited(NamedTuple):
    """What holds where the event says nothing."""

    retention_days: int
    sampling_rate: str
    check_minutes: str
    minimum_sample: int
    owners: tuple[str, ...]


class Editor(NamedTuple):
    """Everything that the editor shows beside its fields."""

    tabs: tuple[EditorTab, ...]
    problems: tuple[Problem, ...]
    findings: tuple[ShownFinding, ...]
    example: Example
    levels: tuple[LevelRow, ...]
    metrics: tuple[str, ...]
    inherited: Inherited
    was_judged: bool

    conditions: tuple[ConditionRow, ...]
    properties: tuple[Any, ...]
    empty_property: Any
    thresholds: Any
    form: Any
    traffic: TrafficWords = TrafficWords()
    rules_address: str = ""
    rules_count: str = ""

    @property
    def marks(self) -> str:
        """The number at each tab, as JSON."""
        return json.dumps({tab.key: tab.problems for tab in self.tabs})

    @property
    def summary(self) -> str:
        """How much there is to correct, and to decide, in words."""
        errors = len(self.problems) + self._count(Severity.ERROR)
        found = ((errors, "error"), (self._count(Severity.WARNING), "warning"), (self._count(Severity.INFO), "hint"))
        return ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for count, word in found if count)

    def _count(self, severity: Severity) -> int:
        return sum(each.finding.severity is severity for each in self.findings)


def stored_event(row: EventRecord, forms: Forms) -> EventDefinition:
    """The event as it is stored, of the rows that its forms, to which nothing was sent, have read."""
    _, properties, thresholds = forms
    return event_from_parts(row, *((each.instance for each in rows.initial_forms) for rows in (properties, thresholds)))


def editor_of(
    request: HttpRequest, forms: Forms, row: EventRecord | None, stored: EventDefinition | None = None
) -> Editor:
    """The editor around these forms, of the ``stored`` event if nothing was sent; what lint says was noted before."""
    form, properties, thresholds = forms
    spec = spec_of(form, row)
    event = _shown_event(forms, stored)
    problems = tuple(problems_of(*forms))
    findings = getattr(request, _ATTRIBUTE, None)
    severities = list(Severity)
    worst_first = sorted(findings or (), key=lambda finding: severities.index(finding.severity))
    shown = tuple(_shown_finding(finding, forms) for finding in worst_first)
    marked = [problem.tab for problem in problems]
    marked += [each.tab for each in shown if each.finding.severity is Severity.ERROR]
    return Editor(
        tabs=tuple(EditorTab(key, title, marked.count(key)) for key, title in TABS.items()),
        problems=problems,
        findings=shown,
        example=_example_of(request, event, spec),
        levels=tuple(_levels(event.properties)),
        metrics=tuple(_metrics(event.properties)),
        inherited=_inherited_of(spec),
        was_judged=findings is not None and not problems,
        conditions=tuple(condition_rows(form["sampling_conditions"])),
        properties=tuple(ordered_rows(properties)),
        empty_property=properties.empty_form,
        thresholds=thresholds,
        form=form,
        traffic=_traffic_of(form, row, spec),
        rules_address="" if row is None or row.pk is None else reverse("anomaly_rules", args=[row.pk]),
        rules_count="" if row is None or not row.anomaly_rules else markup.counted(len(row.anomaly_rules), "rule"),
    )


def note_findings(request: HttpRequest, findings: tuple[Finding, ...] | None) -> None:
    """The editor of this request shows the findings; ``None`` says that the event could not be judged."""
    setattr(request, _ATTRIBUTE, findings)


def spec_of(form: Any, row: EventRecord | None) -> SpecRecord | None:
    """The spec whose draft has the event, or will have it; ``None`` while that is open."""
    if row is not None:
        return row.spec
    if form.is_bound:
        form.is_valid()
        return cast("SpecRecord | None", form.cleaned_data.get("spec_choice"))
    chosen = form.initial.get("spec_choice", "")
    return SpecRecord.objects.filter(pk=chosen).first() if str(chosen).isascii() and str(chosen).isdigit() else None


def switch_off(*formsets: Any) -> None:
    """Every row can be read and none be changed."""
    for formset in formsets:
        for row in formset.forms:
            for field in row.fields.values():
                field.disabled = True


def _shown_event(forms: Forms, stored: EventDefinition | None) -> EventDefinition:
    """The event as its forms have it, as far as they can be read; the stored one if nothing was sent."""
    form, properties, _ = forms
    if form.is_bound:
        form.is_valid()
        return _sound_part(form, filled_rows(properties))
    return stored or _NOTHING


_TONES: Final = {Severity.ERROR: "red", Severity.WARNING: "amber", Severity.INFO: "blue"}


def _shown_finding(finding: Finding, forms: Forms) -> ShownFinding:
    form, properties, thresholds = forms
    tab = place_of_finding(finding.path)
    field = field_in_rows(finding.path, properties, thresholds)
    if field is None:
        name = place_of(finding.path, form.places)
        field = form[name] if name in form.fields else None
    line = _CONDITION.match(finding.path)
    target = CONDITION_ID.format(line[1]) if line else "" if field is None else field.id_for_label or field.auto_id
    place = finding.path or ("the event" if field is None else field.label)
    return ShownFinding(finding, tab, _TONES[finding.severity], target, place, rule_address(finding.rule))


def _levels(properties: Mapping[str, PropertyDefinition]) -> Iterator[LevelRow]:
    for name, definition in properties.items():
        yield LevelRow(name, tuple((level, _strategy(definition, level)) for level in PrivacyLevel))


def _strategy(definition: PropertyDefinition, level: PrivacyLevel) -> str:
    redaction = required_redaction(definition, level)
    return "" if redaction is None else redaction.strategy.value.replace("_", " ")


def _metrics(properties: Mapping[str, PropertyDefinition]) -> Iterable[str]:
    return (name for name, each in properties.items() if each.type in (PropertyType.NUMBER, PropertyType.JSON))


def _inherited_of(spec: SpecRecord | None) -> Inherited:
    """What the spec, or else the product, says for events that say nothing; no query."""
    days = spec.default_retention_days if spec else None
    rate = spec.default_sampling_rate if spec else None
    interval = spec.anomaly_check_interval_ms if spec else None
    minutes = (interval or defaults.DEFAULT_CHECK_INTERVAL_MS) / 60_000
    return Inherited(
        retention_days=days or defaults.DEFAULT_RETENTION_DAYS,
        sampling_rate=markup.percent(defaults.DEFAULT_SAMPLING_RATE if rate is None else rate),
        check_minutes=f"{minutes:g} minute{'' if minutes == 1 else 's'}",
        minimum_sample=defaults.DEFAULT_MINIMUM_SAMPLE,
        owners=tuple(spec.owners) if spec else (),
    )


def _traffic_of(form: Any, row: EventRecord | None, spec: SpecRecord | None) -> TrafficWords:
    """What days and rate of the form mean in numbers; nothing for an event that is not saved yet. One query."""
    if row is None or spec is None:
        return TrafficWords()
    rate = defaults.DEFAULT_SAMPLING_RATE if spec.default_sampling_rate is None else spec.default_sampling_rate
    inherited = Settings(spec.default_retention_days or defaults.DEFAULT_RETENTION_DAYS, rate)
    saved = Settings(row.retention_days or inherited.days, rate if row.sampling_rate is None else row.sampling_rate)
    typed, has_conditions = saved, bool(row.sampling_conditions)
    if form.is_bound:
        typed = Settings(
            _number_in(form, "retention_days", inherited.days, maximum=MAXIMUM_DAYS),
            _number_in(form, "sampling_rate", rate, maximum=1),
        )
        has_conditions = bool(form.cleaned_data.get("sampling_conditions"))
    traffic = traffic_of(row.name, row.version, today=timezone.now().date())
    return traffic_words(traffic, typed, saved, otherwise_rate=rate, has_conditions=has_conditions)


def _number_in(form: Any, name: str, inherited: Any, *, maximum: float) -> Any:
    """The number that the field holds, or what is inherited where it is empty; ``None`` for what cannot be."""
    if name in form.errors:
        return None
    value = form.cleaned_data.get(name)
    if value is None:
        return inherited
    return value if 0 <= value <= maximum else None


def _example_of(request: HttpRequest, event: EventDefinition, spec: SpecRecord | None) -> Example:
    """The payload that the person typed, or one that fits the event; and what becomes of it."""
    generated = _text(example_payload(event))
    typed = request.POST.get("example", "").replace("\r\n", "\n")
    known = request.POST.get("example_generated", "").replace("\r\n", "\n")
    text = generated if not typed.strip() or typed == known else typed
    if text != generated and len(text) > LONGEST_EXAMPLE:
        return Example(text, generated, f"The example has more than {LONGEST_EXAMPLE} characters.")
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return Example(text, generated, f"The example is no JSON that can be read{place}.")
    if not isinstance(payload, dict):
        return Example(text, generated, "The example must be a JSON object: names and values.")
    policy = None if spec is None else defaults_from_record(spec)
    preview = preview_payload(event, payload, policy)
    rows = tuple(
        PayloadRow(each.name, json.dumps(each.after, ensure_ascii=False), each.is_kept, each.hidden_by, each.why)
        for each in preview.values
    )
    return Example(text, generated, "", rows, preview.is_refused, preview.violations)


def _text(payload: Mapping[str, Any]) -> str:
    return json.dumps(payload, indent=2, ensure_ascii=False)


_NOTHING: Final = EventDefinition(
    name="preview", version=1, semantics=Semantics(what="Preview"), privacy=PrivacyLevel.INTERNAL
)


def _sound_part(form: Any, properties: Iterable[Any]) -> EventDefinition:
    """The event as far as its forms can be read: enough to show what its level and properties make of a payload.

    A property whose redaction is not sound yet counts as hidden.
    """
    level = form.cleaned_data.get("privacy") or PrivacyLevel.SENSITIVE
    sound = dict(filter(None, map(_sound_property, properties)))
    return msgspec.structs.replace(_NOTHING, privacy=PrivacyLevel(level), properties=sound)


def _sound_property(row: Any) -> tuple[str, PropertyDefinition] | None:
    name, type_ = row.cleaned_data.get("name"), row.cleaned_data.get("type")
    if not name or not type_:
        return None
    masked = PropertyDefinition(type=PropertyType(type_), redact=True)
    if row.errors:
        return name, masked
    try:
        return name, convert_document(row.document({}), PropertyDefinition, what="property")
    except InvalidDocument:
        return name, masked
