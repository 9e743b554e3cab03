"""Rules looked up in memory: specs by name and version, events by name and version."""

from collections.abc import Iterable, Iterator

from telemetry.core.errors import DuplicateEvent, DuplicateSpec, UnknownEvent, UnknownSpec
from telemetry.core.spec import EventDefinition, TelemetrySpec

__all__ = ["TelemetryRegistry"]


class TelemetryRegistry:
    """A set of specs in which every lookup takes constant time.

    Specs are taken as they are; ``telemetry.core.validation`` checks them. An event name and version belongs to the
    spec name that brought it first; later versions of that spec may bring it again, changed or not. Not safe for
    registering from several threads at once; lookups are, at any time.
    """

    def __init__(self, specs: Iterable[TelemetrySpec] = ()) -> None:
        self._specs: dict[tuple[str, int], TelemetrySpec] = {}
        self._latest_specs: dict[str, TelemetrySpec] = {}
        # Each event with the latest version of the spec that has it.
        self._events: dict[tuple[str, int], tuple[EventDefinition, TelemetrySpec]] = {}
        self._latest_versions: dict[str, int] = {}
        for spec in specs:
            self.register(spec)

    def register(self, spec: TelemetrySpec) -> None:
        """The spec and its events can be looked up.

        ``DuplicateSpec`` when its name and version are registered, ``DuplicateEvent`` when one of its events occurs in
        it twice or belongs to another spec; then nothing is registered.
        """
        name, version = spec.meta.name, spec.meta.version
        if (name, version) in self._specs:
            raise DuplicateSpec(f"version {version} of the spec {name} is registered already")
        self._refuse_duplicates(spec)
        self._specs[name, version] = spec
        latest = self._latest_specs.setdefault(name, spec)
        if version > latest.meta.version:
            self._latest_specs[name] = spec
        for event in spec.events:
            self._add_event(event, spec)

    def _refuse_duplicates(self, spec: TelemetrySpec) -> None:
        seen: set[tuple[str, int]] = set()
        for event in spec.events:
            key = event.name, event.version
            if key in seen:
                raise DuplicateEvent(f"version {event.version} of the event {event.name} occurs twice in the spec")
            seen.add(key)
            if key in self._events and (owner := self._events[key][1].meta.name) != spec.meta.name:
                raise DuplicateEvent(f"version {event.version} of the event {event.name} belongs to the spec {owner}")

    def _add_event(self, event: EventDefinition, spec: TelemetrySpec) -> None:
        key = event.name, event.version
        if key in self._events and self._events[key][1].meta.version > spec.meta.version:
            return
        self._events[key] = event, spec
        self._latest_versions[event.name] = max(event.version, self._latest_versions.get(event.name, 0))

    def get(self, name: str, version: int | None = None) -> TelemetrySpec:
        """The spec in this version, by default the highest one registered; ``UnknownSpec`` when there is none."""
        spec = self._latest_specs.get(name) if version is None else self._specs.get((name, version))
        if spec is None:
            raise UnknownSpec(f"no spec {_shown(name, version)} is registered")
        return spec

    def find_event(self, name: str, version: int | None = None) -> EventDefinition:
        """The event in this version, by default the highest one registered, as the latest spec that has it says.

        ``UnknownEvent`` when no registered spec has it.
        """
        return self._find(name, version)[0]

    def spec_of(self, event_name: str, version: int | None = None) -> TelemetrySpec:
        """The spec, in its latest version that has the event, from which ``find_event`` answers."""
        return self._find(event_name, version)[1]

    def _find(self, name: str, version: int | None) -> tuple[EventDefinition, TelemetrySpec]:
        exact = self._latest_versions.get(name) if version is None else version
        found = None if exact is None else self._events.get((name, exact))
        if found is None:
            raise UnknownEvent(f"no event {_shown(name, version)} is registered")
        return found

    def specs(self) -> tuple[TelemetrySpec, ...]:
        """All specs in all versions, in the order in which they were registered."""
        return tuple(self._specs.values())

    def events(self) -> tuple[EventDefinition, ...]:
        """All events in all versions, each as ``find_event`` gives it, in the order in which they first came."""
        return tuple(event for event, _ in self._events.values())

    def __len__(self) -> int:
        return len(self._specs)

    def __iter__(self) -> Iterator[TelemetrySpec]:
        return iter(self.specs())


def _shown(name: str, version: int | None) -> str:
    # Names that are looked up come from clients, and may be anything of any length.
    return repr(name[:200]) if version is None else f"{name[:200]!r} in version {version}"
