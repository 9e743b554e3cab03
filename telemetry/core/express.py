"""The usual event's quick way through the rules: the outcome of ``process_event``, at a fraction of its cost.

Most events of an app look alike: the same names, values of the same types, nothing undeclared, no metadata, and a
subject that was seen a moment ago. What follows from names, types and subject is worked out once and remembered. An
event with anything unusual about it gets no outcome here, and goes the whole way. Property tests hold both ways to
the same outcomes.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec.structs import astuple

from telemetry.core.compiled import CompiledConfig, CompiledEvent
from telemetry.core.context_privacy import protect_context
from telemetry.core.events import Context, Dropped, PseudonymKey
from telemetry.core.express_code import ShapeJudge, write_judge
from telemetry.core.observation import Observer, observed_subject
from telemetry.core.pseudonyms import Pseudonymiser, pseudonymiser_for
from telemetry.core.sampling import sampling_point, sampling_subject
from telemetry.core.unwritten import Stamp, Subject, Unwritten
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["ExpressLane"]

# An app's code tracks an event from a few places; a client that makes shapes up must not fill the memory.
_MOST_SHAPES: Final = 32
# As many as there are pseudonyms remembered: events of one subject come in runs.
_MOST_SUBJECTS: Final = 512
_TEXT: Final = frozenset({str})
_TEXT_OR_NOTHING: Final = frozenset({str, type(None)})

# The text fields of a context, in the order of the fields.
_Ids = tuple[str | None, ...]


class _Way(msgspec.Struct, frozen=True):
    """One event's rules, with the shapes seen so far by their names; ``None`` stands for the whole way."""

    rules: CompiledEvent
    subjects: "_Subjects"
    judges: dict[tuple[str, ...], ShapeJudge | None]


class _Subjects:
    """What follows from contexts, under one pseudonymiser; remembered by the ids in them, and by the objects."""

    __slots__ = ("_last", "_of_ids", "_remembers_objects", "known")

    def __init__(self, pseudonymiser: Pseudonymiser | None, salt: str, *, remembers_objects: bool) -> None:
        self._remembers_objects = remembers_objects
        self._of_ids = lru_cache(_MOST_SUBJECTS)(_subjects_with(pseudonymiser, salt))
        # The one before: events of one subject come in runs.
        self._last: tuple[Context, Subject] | None = None
        # By the address of the context, which nobody else has as long as it is kept here.
        self.known: dict[int, tuple[Context, Subject]] = {}

    def find(self, context: Context) -> Subject | None:
        """What follows from the context; ``None`` when not all is usual about it."""
        last = self._last
        if last is not None and context == last[0]:
            return last[1]
        if context.metadata is not EMPTY_MAPPING:
            return None
        subject = self._of_ids(astuple(context)[:7])
        if subject is None:
            return None
        self._last = (context, subject)
        if self._remembers_objects:
            if len(self.known) >= _MOST_SUBJECTS:
                self.known.clear()
            self.known[id(context)] = (context, subject)
        return subject


class ExpressLane:
    """Judges usual events under one config and key. Safe to share between threads.

    What is kept is not written yet: apps should not have to wait for what a background thread can do, and servers
    store values without it. One lane is for apps, the other ``for_store``: it sees no context object twice, and has
    values in the order in which the store keeps them.
    """

    __slots__ = ("_compiled", "_for_store", "_named", "_pseudonymiser", "_unnamed", "_ways")

    def __init__(self, compiled: CompiledConfig, key: PseudonymKey | None, *, for_store: bool) -> None:
        self._for_store = for_store
        self._compiled = compiled
        self._pseudonymiser = None if key is None else pseudonymiser_for(key)
        salt = compiled.sampling_salt
        self._named = _Subjects(self._pseudonymiser, salt, remembers_objects=not for_store)
        self._unnamed = _Subjects(None, salt, remembers_objects=not for_store)
        self._ways: dict[tuple[str, int | None], _Way] = {}

    def judge(
        self,
        stamp: Stamp,
        name: str,
        version: int | None,
        properties: Mapping[str, Any],
        context: Context,
        observer: Observer | None = None,
    ) -> Unwritten | Dropped | None:
        """What the rules make of the event, or ``None`` for one that has to go the whole way.

        ``stamp``, ``name`` and ``version`` are valid and of exact types; the rest is as it came. ``observer`` is
        shown an event that gets an outcome.
        """
        try:
            way = self._ways.get((name, version)) or self._way_of(name, version)
            if way is None or type(properties) is not dict:
                return None
            names = tuple(properties)
            judge = way.judges.get(names) or self._judge_of(way, names)
            known = way.subjects.known.get(id(context))
            subject = way.subjects.find(context) if known is None else known[1]
            if judge is None or subject is None:
                return None
            return judge(stamp, properties, subject, observer)
        except Exception:  # noqa: BLE001 - names and ids may be of foreign classes, whose methods may raise anything
            return None

    @staticmethod
    def of(compiled: CompiledConfig, key: PseudonymKey | None) -> "ExpressLane":
        """The lane of this config and key for the store, made once and kept with the config."""
        lane: ExpressLane | None = compiled.lanes.get(key)
        if lane is None:
            lane = ExpressLane(compiled, key, for_store=True)
            compiled.lanes[key] = lane
        return lane

    def _way_of(self, name: str, version: int | None) -> _Way | None:
        rules = self._compiled.find(name, version)
        # Conditions see the event as a whole, and cost more than what could be saved here.
        if rules is None or rules.sampling.conditions or rules.metadata.required:
            return None
        way = _Way(rules, self._named if rules.names_subjects else self._unnamed, {})
        # Another thread may have made one meanwhile; all use that of the first.
        return self._ways.setdefault((rules.name, version), way)

    def _judge_of(self, way: _Way, names: tuple[str, ...]) -> ShapeJudge | None:
        # Only exact texts are remembered. Others that equal them are judged alike, under the names that the rules have.
        if names in way.judges or len(way.judges) >= _MOST_SHAPES or not _TEXT.issuperset(map(type, names)):
            return None
        judge = write_judge(
            names,
            way.rules,
            salt=self._compiled.sampling_salt,
            revision=self._compiled.revision,
            pseudonymiser=self._pseudonymiser,
            sorts_values=self._for_store,
        )
        return way.judges.setdefault(names, judge)


def _subjects_with(pseudonymiser: Pseudonymiser | None, salt: str) -> Callable[[_Ids], Subject | None]:
    """A function from the ids in a context to what follows from them; ``None`` when not all is usual about them."""

    def subject_of(ids: _Ids) -> Subject | None:
        if not _TEXT_OR_NOTHING.issuperset(map(type, ids)):
            return None
        tenant_id, organization_id, user_id, session_id, device_id, actor, channel = ids
        context = Context(
            tenant_id=tenant_id,
            organization_id=organization_id,
            user_id=user_id,
            session_id=session_id,
            device_id=device_id,
            actor=actor,
            channel=channel,
        )
        hidden: set[str] = set()
        protected, violations = protect_context(context, EMPTY_MAPPING, pseudonymiser, hidden)
        unit = sampling_subject(context)
        point = sampling_point(unit, salt) if unit else None
        observed = observed_subject(context, pseudonymiser)
        return None if violations else Subject(protected, tuple(sorted(hidden)), point, observed)

    return subject_of
