"""Kept events whose dispatch is not written before somebody asks for it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

import msgspec

from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Accepted, Context, Dispatch, Violation, Written

__all__ = ["Stamp", "Subject", "Terms", "Unwritten"]


class Stamp(Protocol):
    """What tells an event from all others: its id, and the instant at which it occurred."""

    @property
    def id(self) -> str:
        """The id."""

    @property
    def occurred_at(self) -> datetime:
        """The instant, in UTC."""


class Terms(msgspec.Struct, frozen=True):
    """What all kept events of one shape have in common.

    ``properties`` and ``metrics`` are names, and ``redacted`` the paths of properties that were hidden or left out.
    """

    name: str
    version: int
    privacy: PrivacyLevel
    tags: tuple[str, ...]
    inclusion_probability: float
    config_revision: int
    properties: tuple[str, ...]
    metrics: tuple[str, ...]
    redacted: tuple[str, ...]


class Subject(msgspec.Struct, frozen=True):
    """What follows from the ids in a context: all that may leave of it, and what was ``redacted``.

    ``point`` is its place in sampling; without one, each event is sampled by itself. ``observed`` is the pseudonym
    under which it is counted.
    """

    context: Context
    redacted: tuple[str, ...]
    point: int | None
    observed: str | None


class Unwritten(Accepted, frozen=True, dict=True):
    """An event that is kept, whose dispatch nobody has asked for yet.

    ``values`` are those of its properties after redaction, ``numbers`` those of its metrics, in the order of the terms.
    It has no ``violations``: an event with any is written at once.
    The same parts make the same dispatch, whoever asks, and whenever. So whoever tracks an event need not wait for
    what only a background thread looks at.
    """

    stamp: Stamp
    values: tuple[Any, ...]
    numbers: tuple[float, ...]
    subject: Subject
    terms: Terms
    violations: tuple[Violation, ...] = ()

    @property
    def name(self) -> str:
        """The name of the event."""
        return self.terms.name

    @property
    def version(self) -> int:
        """The version of the event."""
        return self.terms.version

    @property
    def dispatch(self) -> Dispatch:
        """The redacted event, written the first time."""
        written: dict[str, Dispatch] = self.__dict__
        # Of two threads that ask at once, both get what the first has written.
        return written.get("dispatch") or written.setdefault("dispatch", self._dispatch())

    @property
    def metrics(self) -> Mapping[str, float]:
        """Its numeric properties before redaction."""
        return dict(zip(self.terms.metrics, self.numbers, strict=True))

    @property
    def redacted(self) -> tuple[str, ...]:
        """The paths, sorted; all of the context come before those of the properties."""
        return self.subject.redacted + self.terms.redacted

    def __repr__(self) -> str:
        return repr(self.write())

    def write(self) -> Written:
        """The same outcome, which holds on to nothing else."""
        return Written(dispatch=self._dispatch(), metrics=self.metrics, redacted=self.redacted)

    def _dispatch(self) -> Dispatch:
        terms = self.terms
        return Dispatch(
            id=self.stamp.id,
            name=terms.name,
            version=terms.version,
            occurred_at=self.stamp.occurred_at,
            properties=dict(zip(terms.properties, self.values, strict=True)),
            privacy=terms.privacy,
            context=self.subject.context,
            tags=terms.tags,
            inclusion_probability=terms.inclusion_probability,
            config_revision=terms.config_revision,
        )
