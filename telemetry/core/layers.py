"""How one value is settled between layers, and the trace of who settled it.

Two kinds of value exist. A *free* value takes the strongest layer that names it (a toggle, a sampling rate). A
*tightening* value starts from what the spec says and can then only be joined upwards in its lattice (privacy level,
redaction, retention, undeclared properties).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from telemetry.core.config import EventOverride, Provenance
from telemetry.core.enums import Layer
from telemetry.core.errors import FieldError
from telemetry.core.paths import key_path

__all__ = ["EventWishes", "Step", "Trace", "Wish", "event_reference", "event_wishes"]

T = TypeVar("T")


class Wish(NamedTuple, Generic[T]):
    """What one layer asks for, and where in that layer's document it says so."""

    layer: Layer
    path: str
    value: T


class Step(NamedTuple):
    """What one layer asked of a leaf, and what the leaf was after that."""

    layer: Layer
    path: str
    asked: Any
    value: Any


class Trace:
    """Collects, during one resolution, the provenance of each leaf and the wishes that were refused.

    ``steps``, by path and from weak to strong, tell the whole story of each leaf; they are empty unless asked for.
    """

    def __init__(self, *, with_steps: bool = False) -> None:
        self.provenance: dict[str, Provenance] = {}
        self.refused: list[tuple[Layer, FieldError]] = []
        self.steps: dict[str, list[Step]] = {}
        self._with_steps = with_steps

    def given(self, path: str, wish: Wish[T]) -> T:
        """The value of the only layer that may set this leaf, or of one that is stronger than all before it."""
        self.provenance[path] = Provenance(layer=wish.layer, path=wish.path)
        self._step(path, wish, wish.value)
        return wish.value

    def free(self, path: str, base: Wish[T], wishes: Iterable[Wish[T | None]]) -> T:
        """The value of the strongest layer that has one; ``wishes`` run from weak to strong."""
        value = self.given(path, base)
        for wish in wishes:
            if wish.value is not None:
                value = self.given(path, Wish(wish.layer, wish.path, wish.value))
        return value

    def replaced(self, path: str, wishes: Iterable[Wish[Any]]) -> None:
        """These values, from weak to strong, gave way to what is settled next."""
        for wish in wishes:
            self._step(path, wish, wish.value)

    def tighten(self, path: str, base: Wish[T], wishes: Iterable[Wish[T | None]], join: Callable[[T, T], T]) -> T:
        """The join of ``base`` and every wish but ``None``; a wish that falls short of it is refused."""
        chosen = base
        limited: list[Layer] = []
        self._step(path, base, base.value)
        for wish in wishes:
            if wish.value is None:
                continue
            joined = join(chosen.value, wish.value)
            if joined != wish.value:
                limited.append(wish.layer)
                self.refuse(wish, "loosens", f"may only be tightened; the {chosen.layer} layer protects more")
            if joined != chosen.value or joined == wish.value:
                chosen = Wish(wish.layer, wish.path, joined)
            self._step(path, wish, joined)
        self.provenance[path] = Provenance(layer=chosen.layer, path=chosen.path, limited=tuple(limited))
        return chosen.value

    def hold(
        self, path: str, value: T, held: T, floor_path: str, freed: Wish[T] | None = None, *, is_refusal: bool = True
    ) -> T:
        """``held``, which the floor puts in place of the settled ``value``; the losing layer is remembered.

        ``freed`` is what an exception makes of ``value`` instead. It counts only where it differs from ``held``.
        Without ``is_refusal`` the losing layer asked for something wider, which holds elsewhere: nothing is refused.
        """
        if held == value:
            return value
        before = self.provenance[path]
        chosen = Wish(Layer.FLOOR, floor_path, held)
        self._step(path, chosen, held)
        if freed is not None and freed.value != held:
            chosen = freed
            self._step(path, chosen, chosen.value)
        limited = before.limited
        if chosen.value != value:
            limited = (*limited, before.layer)
            if is_refusal:
                self.refuse(Wish(before.layer, before.path, value), "below_floor", "is outside the privacy floor")
        self.provenance[path] = Provenance(layer=chosen.layer, path=chosen.path, limited=limited)
        return chosen.value

    def _step(self, path: str, wish: Wish[Any], value: Any) -> None:
        if self._with_steps:
            self.steps.setdefault(path, []).append(Step(wish.layer, wish.path, wish.value, value))

    def refuse(self, wish: Wish[T], code: str, message: str) -> None:
        """Remember that this wish had no effect."""
        self.refused.append((wish.layer, FieldError(code, wish.path, message)))


class EventWishes(NamedTuple):
    """What one layer asks for one event: (path, override) for its exact version first, then for its bare name."""

    layer: Layer
    found: tuple[tuple[str, EventOverride], ...]

    def ask(self, key: str, read: Callable[[EventOverride], T | None]) -> Wish[T | None]:
        """The wish for one field, read from the most exact override that has it; ``key`` is its place in documents."""
        for path, override in self.found:
            value = read(override)
            if value is not None:
                return Wish(self.layer, f"{path}.{key}", value)
        return Wish(self.layer, "", None)


def event_reference(name: str, version: int) -> str:
    """How documents and paths name one version of an event."""
    return f"{name}@{version}"


def event_wishes(layer: Layer, overrides: Mapping[str, EventOverride], name: str, version: int) -> EventWishes:
    """What ``layer`` asks for this version of the event."""
    references = (event_reference(name, version), name)
    return EventWishes(
        layer, tuple((key_path("events", key), overrides[key]) for key in references if key in overrides)
    )
