"""What a new version of a spec, or another floor, does to each kind of installation, worked out event by event.

An event's part in a config depends on what the layers say about this event and about all events, and on nothing else.
So each event is resolved once for everything that is said about it, however many installations say it, and whole
impacts are put together from these parts. Pure: values in, values out.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cached_property
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from telemetry.core.blast_radius import (
    EventImpact,
    InstallationImpact,
    ValueChange,
    config_changes,
    event_impacts,
    find_orphans_of_floor,
    impact_of_parts,
    new_problems,
)
from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    FloorException,
    InstallationIdentity,
    PrivacyFloor,
    TenantOverride,
)
from telemetry.core.enums import Environment, Layer
from telemetry.core.errors import FieldError
from telemetry.core.reach import Reach, reach_of, within_reach
from telemetry.core.resolution import find_loosening, resolve_and_judge
from telemetry.core.spec import TelemetrySpec
from telemetry.services.references import References

__all__ = ["Budget", "Composition", "Examination", "Layers", "TooManyDiffer"]

Value = TypeVar("Value")

# Whose config it is makes no difference to what changes in it.
ANYBODY: Final = InstallationIdentity(
    tenant="anybody", app="any-app", environment=Environment.PRODUCTION, sampling_salt=""
)


class TooManyDiffer(Exception):
    """The layers say something about an event that was not resolved yet, and enough was resolved already."""


class Layers(NamedTuple):
    """What makes a config, beside the spec."""

    blueprint: AppBlueprint
    override: TenantOverride
    floor: PrivacyFloor
    exceptions: tuple[FloorException, ...] = ()

    @property
    def limits(self) -> "Limits":
        """The floor with what is excepted from it."""
        return self.floor, self.exceptions


Limits = tuple[PrivacyFloor, tuple[FloorException, ...]]


class _Change(NamedTuple):
    """The limits before and after."""

    before: Limits
    after: Limits


class Composition(NamedTuple):
    """An impact as a key: equal ones stand for equal impacts, different ones for different impacts.

    ``config`` and ``events`` are numbers of parts, in which 0 is nothing; ``problems`` are new.
    """

    config: int
    events: tuple[int, ...]
    problems: tuple[FieldError, ...]

    @property
    def has_changes(self) -> bool:
        """Whether apps would get another config."""
        return bool(self.config) or any(self.events)


class _Part(NamedTuple):
    """What happens to the events of one name: the number of their changes, and problems before and after."""

    changes: int
    before: tuple[FieldError, ...]
    after: tuple[FieldError, ...]


class _Base(NamedTuple):
    """The parts of all names for layers whose override says nothing about single events."""

    parts: tuple[_Part, ...]
    with_problems: tuple[int, ...]
    config: int
    before: tuple[FieldError, ...]
    after: tuple[FieldError, ...]


class _Numbers(Generic[Value]):
    """Numbers for values: equal values have one number, and 0 is the number of the empty one."""

    def __init__(self) -> None:
        self.values: list[tuple[Value, ...]] = [()]
        self._known: dict[Hashable, int] = {b"[]": 0}

    def of(self, value: tuple[Value, ...]) -> int:
        """The value's number."""
        # By its text: values may hold lists, which cannot be keys.
        number = self._known.setdefault(msgspec.json.encode(value), len(self.values))
        if number == len(self.values):
            self.values.append(value)
        return number


class _Spec:
    """One side of the comparison: the events that can differ, and each name's alone."""

    def __init__(self, spec: TelemetrySpec, names: Iterable[str]) -> None:
        self.spec = spec
        self.bare = msgspec.structs.replace(spec, events=())
        self.by_name = dict.fromkeys(names, self.bare)
        self.whole = msgspec.structs.replace(spec, events=tuple(e for e in spec.events if e.name in self.by_name))
        self.references = References(self.whole)
        for event in self.whole.events:
            known = self.by_name[event.name]
            self.by_name[event.name] = msgspec.structs.replace(known, events=(*known.events, event))


class Budget:
    """How many resolutions of events may be needed at most, by all examinations of one question together."""

    def __init__(self, resolutions: int) -> None:
        self._left = resolutions

    def spend(self, resolutions: int) -> None:
        """So many more are needed; raises ``TooManyDiffer`` if that is too much."""
        self._left -= resolutions
        if self._left < 0:
            raise TooManyDiffer


class Examination:
    """Works out impacts of one change, within the ``budget`` if there is one.

    ``reach`` is what can differ, if that is more than what a change of the spec meets.
    """

    def __init__(
        self,
        before: TelemetrySpec | None,
        after: TelemetrySpec,
        *,
        reach: Reach | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.reach = reach_of(before, after) if reach is None else reach
        self.names = tuple(self.reach.events)
        self.resolved = 0
        self._budget = budget
        self._places = {name: place for place, name in enumerate(self.names)}
        self._before = None if before is None else _Spec(before, self.names)
        self._after = _Spec(after, self.names)
        self._changes: _Numbers[EventImpact] = _Numbers()
        self._configs: _Numbers[ValueChange] = _Numbers()
        self._known: dict[Hashable, object] = {}

    def compose(self, layers: Layers, floor: PrivacyFloor | None = None) -> Composition:
        """What happens to an installation with these layers, whose floor becomes ``floor`` unless that is unset.

        Raises ``TooManyDiffer`` when the budget is spent.
        """
        change = _Change(layers.limits, layers.limits if floor is None else (floor, layers.exceptions))
        blueprint = within_reach(layers.blueprint, self.reach)
        override = within_reach(layers.override, self.reach)
        bare = msgspec.structs.replace(override, events={})
        base = self._once(("base", blueprint, bare, change), lambda: self._base(blueprint, bare, change))
        own = {
            self._places[name]: self._part(name, blueprint, bare, override, change)
            for name in dict.fromkeys(reference.partition("@")[0] for reference in override.events)
        }
        changes = [part.changes for part in base.parts]
        for place, part in own.items():
            changes[place] = part.changes
        parts = [own.get(place, base.parts[place]) for place in sorted({*base.with_problems, *own})]
        problems = new_problems(
            (*base.before, *(each for part in parts for each in part.before)),
            (*base.after, *(each for part in parts for each in part.after)),
        )
        if not all(map(_is_of_event, problems)):
            problems = new_problems(self._known_anywhere(layers), problems)
        return Composition(base.config, tuple(changes), problems)

    def impact(self, composition: Composition) -> InstallationImpact:
        """The impact that the key stands for."""
        events = (event for number in composition.events for event in self._changes.values[number])
        ordered = sorted(events, key=lambda event: self._order[event.name, event.version])
        return impact_of_parts(composition.problems, ordered, self._configs.values[composition.config])

    @cached_property
    def _order(self) -> dict[tuple[str, int], int]:
        """Events of the new version come first, then those that go."""
        old = () if self._before is None else self._before.whole.events
        identities = dict.fromkeys((event.name, event.version) for event in (*self._after.whole.events, *old))
        return {identity: place for place, identity in enumerate(identities)}

    def _known_anywhere(self, layers: Layers) -> tuple[FieldError, ...]:
        """What the layers say about all events and had no effect before, be it because of an event that stays as it is.

        Rare: such wishes are refused when they are saved, and stand only where a floor came later.
        """
        if self._before is None:
            return ()
        blueprint, override = layers.blueprint, layers.override
        self._spend(2 * len(self._before.spec.events))
        of_blueprint = find_loosening(self._before.spec, None, _as_override(blueprint), *layers.limits)
        of_tenant = find_loosening(self._before.spec, blueprint, override, *layers.limits)
        return (*_within(Layer.BLUEPRINT, of_blueprint), *_within(Layer.TENANT, of_tenant))

    def _spend(self, resolutions: int) -> None:
        self.resolved += resolutions
        if self._budget is not None:
            self._budget.spend(resolutions)

    def _once(self, key: Hashable, work_out: Callable[[], Value]) -> Value:
        if key not in self._known:
            self._known[key] = work_out()
        return self._known[key]  # type: ignore[return-value]  # each kind of key has one kind of value

    def _base(self, blueprint: AppBlueprint, bare: TenantOverride, change: _Change) -> _Base:
        parts = tuple(self._part(name, blueprint, bare, bare, change) for name in self.names)
        general = msgspec.structs.replace(blueprint, events={})
        after, problems_after = self._resolve(self._after, self._after.bare, general, bare, change.after)
        before: EffectiveConfig | None = None
        problems_before: tuple[FieldError, ...] = ()
        if self._before is not None:
            before, problems_before = self._resolve(self._before, self._before.bare, general, bare, change.before)
        return _Base(
            parts,
            tuple(place for place, part in enumerate(parts) if part.before or part.after),
            self._configs.of(tuple(config_changes(before, after))),
            (*_orphans(self._before, change), *problems_before),
            (*_orphans(self._after, change), *problems_after),
        )

    def _part(
        self, name: str, blueprint: AppBlueprint, bare: TenantOverride, override: TenantOverride, change: _Change
    ) -> _Part:
        about = _about(name, blueprint)
        said = msgspec.structs.replace(bare, events=_about(name, override).events)
        return self._once((name, about, said, change), lambda: self._work_out(name, about, said, change))

    def _work_out(self, name: str, blueprint: AppBlueprint, override: TenantOverride, change: _Change) -> _Part:
        after, problems_after = self._resolve(self._after, self._after.by_name[name], blueprint, override, change.after)
        if self._before is None:
            return _Part(self._changes.of(tuple(event_impacts(None, after.events))), (), problems_after)
        before, problems = self._resolve(self._before, self._before.by_name[name], blueprint, override, change.before)
        return _Part(self._changes.of(tuple(event_impacts(before.events, after.events))), problems, problems_after)

    def _resolve(
        self, side: _Spec, spec: TelemetrySpec, blueprint: AppBlueprint, override: TenantOverride, limits: Limits
    ) -> tuple[EffectiveConfig, tuple[FieldError, ...]]:
        """The config, and everything in the layers that has no effect, with paths that begin with the layer."""
        self._spend(len(spec.events))
        config, refused = resolve_and_judge(spec, blueprint, override, *limits, installation=ANYBODY)
        of_blueprint = self._once(
            ("blueprint", id(spec), blueprint, limits),
            lambda: (
                *side.references.misfits(blueprint),
                *find_loosening(spec, None, _as_override(blueprint), *limits),
            ),
        )
        of_tenant = (*side.references.misfits(override), *refused)
        return config, (*_within(Layer.BLUEPRINT, of_blueprint), *_within(Layer.TENANT, of_tenant))


def _orphans(side: _Spec | None, change: _Change) -> tuple[FieldError, ...]:
    """What the floor forces on or off and this side does not have; of a floor that changes that is no news."""
    if side is None or change.before != change.after:
        return ()
    return find_orphans_of_floor(side.whole, change.before[0])


LayerType = TypeVar("LayerType", AppBlueprint, TenantOverride)


def _about(name: str, layer: LayerType) -> LayerType:
    """The layer with what it says about this name and about all events."""
    events = {key: value for key, value in layer.events.items() if key.partition("@")[0] == name}
    return msgspec.structs.replace(layer, events=events)


def _is_of_event(problem: FieldError) -> bool:
    """Whether it is about single events: what the override or blueprint says about them, or the floor."""
    layer, _, path = problem.path.partition(".")
    return layer == Layer.FLOOR or path.startswith("events")


def _as_override(blueprint: AppBlueprint) -> TenantOverride:
    fields = ("enabled", "default_sampling_rate", "undeclared_properties", "events")
    return TenantOverride(**{field: getattr(blueprint, field) for field in fields})


def _within(layer: Layer, problems: Iterable[FieldError]) -> Iterator[FieldError]:
    for problem in problems:
        yield FieldError(problem.code, f"{layer}.{problem.path}", problem.message)
