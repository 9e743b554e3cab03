"""Linting: every rule over a whole spec, without what events opted out of, in document order."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import NamedTuple

import msgspec

from telemetry.core.event_specs import EventSpec
from telemetry.core.lint.finding import Finding
from telemetry.core.lint.rule import Problem, Rule
from telemetry.core.lint.rules import OPTIONAL_RULES, RULES
from telemetry.core.lint.subject import EventIdentity, LintedSpec
from telemetry.core.plain import document_fields
from telemetry.core.shapes import Path, write_path
from telemetry.core.spec import TelemetrySpec

__all__ = ["lint_spec"]


class _Found(NamedTuple):
    rule: Rule
    problem: Problem


def lint_spec(
    spec: TelemetrySpec,
    *,
    today: date,
    published: TelemetrySpec | None = None,
    event_specs: Collection[EventSpec] | None = None,
    history: Collection[EventIdentity] = (),
) -> tuple[Finding, ...]:
    """Every place where a valid spec does not follow a rule, in document order; at one place by the order of the rules.

    ``today`` is the day, in UTC, at which review dates and opt-outs are judged: both hold through the day they name.
    ``published`` is the version that the spec would replace. ``event_specs`` are the contracts of events that are
    known, ``None`` where nobody writes contracts; ``history`` are names and versions of events that were ever
    published. Never raises for a valid spec.
    """
    linted = LintedSpec(spec, today=today, published=published, event_specs=event_specs, history=history)
    linted.optional_rules = frozenset(OPTIONAL_RULES)
    found, linted.used_opt_outs = _silence(linted, _run(OPTIONAL_RULES.values(), linted))
    found += _run((rule for rule in RULES.values() if rule.name not in OPTIONAL_RULES), linted)
    places = _Places(spec)
    found.sort(key=lambda each: places.position(each.problem.path))
    return tuple(_finding(each) for each in found)


def _run(rules: Iterable[Rule], linted: LintedSpec) -> list[_Found]:
    return [_Found(rule, problem) for rule in rules for problem in rule.check(linted)]


def _silence(linted: LintedSpec, found: list[_Found]) -> tuple[list[_Found], frozenset[Path]]:
    """What is left when opt-outs in force are obeyed, and the paths of those that silenced something."""
    opt_outs: dict[tuple[int, str], Path] = {}
    for index, event in enumerate(linted.spec.events):
        for place, opt_out in enumerate(event.lint_opt_outs):
            if linted.is_in_force(opt_out):
                opt_outs.setdefault((index, opt_out.rule), ("events", index, "lintOptOuts", place))
    kept: list[_Found] = []
    used: set[Path] = set()
    for each in found:
        path = each.problem.path
        # Only what lies inside an event is the event's own.
        key = (path[1], each.rule.name) if len(path) > 1 and path[0] == "events" else None
        if key in opt_outs:
            used.add(opt_outs[key])
        else:
            kept.append(each)
    return kept, frozenset(used)


def _finding(found: _Found) -> Finding:
    rule, problem = found
    return Finding(
        rule=rule.name,
        severity=rule.severity,
        path=write_path(problem.path),
        message=problem.message,
        hint=rule.hint,
    )


class _Places:
    """Where paths are in a document, for comparing."""

    def __init__(self, spec: TelemetrySpec) -> None:
        self._spec = spec
        self._keys: dict[int, dict[str, int]] = {}

    def position(self, path: Path) -> tuple[int, ...]:
        """The positions of the path's steps, each among its siblings; what holds others comes before them."""
        value: object = self._spec
        positions: list[int] = []
        for step in path:
            place, value = self._step(value, step)
            positions.append(place)
        return tuple(positions)

    def _step(self, value: object, step: str | int) -> tuple[int, object]:
        if isinstance(value, msgspec.Struct):
            fields = document_fields(type(value))
            return next((place, getattr(value, name)) for place, (name, key, _) in enumerate(fields) if key == step)
        if isinstance(value, Mapping):
            places = self._keys.get(id(value))
            if places is None:
                places = self._keys[id(value)] = {key: place for place, key in enumerate(value)}
            return places[str(step)], value[step]
        if isinstance(value, tuple) and isinstance(step, int):
            return step, value[step]
        raise TypeError("a rule named a place that no document has")
