"""Options of the command line as answers to the wizard's questions."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from telemetry.core.errors import FieldError, InvalidDocument

__all__ = ["EventFlags", "answers_of_events", "answers_of_providers"]


class EventFlags(NamedTuple):
    """What options say about events; all but ``events`` are ``EVENT=VALUE``, or a value if there is one event only."""

    events: list[str]
    who: list[str]
    why: list[str]
    privacy: list[str]
    tags: list[str]
    properties: list[str]
    descriptions: list[str]
    retention: list[str]
    sampling: list[str]
    conditions: list[str]
    thresholds: list[str]
    minimum_sample: list[str]
    actions: list[str]


def _refuse(option: str, message: str) -> InvalidDocument:
    return InvalidDocument([FieldError("bad_option", option, message)], what="call")


def answers_of_providers(options: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Of ``TYPE:SETTING=VALUE,SETTING=VALUE``."""
    for index, option in enumerate(options):
        type_, _, settings = option.partition(":")
        yield f"providers.{index}", "y"
        yield f"providers.{index}.type", type_
        for place, setting in enumerate(filter(None, settings.split(","))):
            name, equals, value = setting.partition("=")
            if not equals:
                raise _refuse("--provider", "must be TYPE:SETTING=VALUE,SETTING=VALUE")
            yield f"providers.{index}.settings.{place}.name", name
            yield f"providers.{index}.settings.{place}.value", value


def answers_of_events(flags: EventFlags) -> Iterator[tuple[str, str]]:
    """The answers about all events."""
    keys = dict(_keys_of_events(flags.events))
    for index, option in enumerate(flags.events):
        name, _, what = option.partition("=")
        base, _, version = name.partition("@")
        if index:
            yield f"events.{index}", "y"
        yield f"events.{index}.name", base
        if version:
            yield f"events.{index}.version", version
        if what:
            yield f"events.{index}.what", what
    for option, key, values in (
        ("--who", "who", flags.who),
        ("--why", "why", flags.why),
        ("--privacy", "privacy", flags.privacy),
        ("--event-tags", "tags", flags.tags),
        ("--sampling", "sampling.rate", flags.sampling),
    ):
        yield from ((f"{event}.{key}", value) for event, value in _parted(option, values, keys))
    yield from _answers_of_properties(flags, keys)
    yield from _answers_of_rules(flags, keys)


def _keys_of_events(options: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The key of each event by its name and version; by its name alone, that of the first."""
    keys: dict[str, str] = {}
    for index, option in enumerate(options):
        name = option.partition("=")[0]
        keys[name] = f"events.{index}"
        keys.setdefault(name.partition("@")[0], f"events.{index}")
    yield from keys.items()


def _parted(option: str, values: Iterable[str], keys: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Keys of events, and what is said of them."""
    for value in values:
        name, equals, rest = value.partition("=")
        if equals and name in keys:
            yield keys[name], rest
        elif len(set(keys.values())) == 1:
            yield next(iter(keys.values())), value
        else:
            raise _refuse(option, "must begin with the name of an event that --event has, and =")


def _answers_of_properties(flags: EventFlags, keys: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Of ``NAME:TYPE:required,pii,redact``, and of ``NAME:TEXT``."""
    places: dict[tuple[str, str], str] = {}
    for event, value in _parted("--property", flags.properties, keys):
        name, _, rest = value.partition(":")
        type_, _, marks = rest.partition(":")
        place = f"{event}.properties.{sum(each == event for each, _ in places)}"
        places[event, name] = place
        yield f"{place}.name", name
        yield f"{place}.type", type_ or "string"
        for mark in filter(None, marks.split(",")):
            if mark not in ("required", "pii", "redact"):
                raise _refuse("--property", "must be NAME:TYPE, and behind a colon any of required, pii, redact")
            yield f"{place}.{mark}", "y"
    for event, value in _parted("--property-description", flags.descriptions, keys):
        name, _, text = value.partition(":")
        if (event, name) not in places:
            raise _refuse("--property-description", "must name a property that --property has")
        yield f"{places[event, name]}.description", text


def _answers_of_rules(flags: EventFlags, keys: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Retention, sampling conditions and anomaly rules."""
    for event, value in _parted("--retention", flags.retention, keys):
        days, _, policy = value.partition(":")
        yield f"{event}.retention.days", days
        if policy:
            yield f"{event}.retention.policy", policy
    counts: dict[tuple[str, str], int] = {}
    for event, value in _parted("--condition", flags.conditions, keys):
        number = counts[event, "conditions"] = counts.get((event, "conditions"), -1) + 1
        yield f"{event}.sampling.conditions.{number}", value
    for event, value in _parted("--threshold", flags.thresholds, keys):
        metric, _, bounds = value.rpartition(":")
        low, dots, high = bounds.partition("..")
        if not metric or not dots:
            raise _refuse("--threshold", "must be METRIC:LOWEST..HIGHEST, of which one may be left out")
        number = counts[event, "thresholds"] = counts.get((event, "thresholds"), -1) + 1
        key = f"{event}.anomalies.thresholds.{number}"
        yield (f"{event}.anomalies", "y") if number == 0 else (key, "y")
        yield from ((f"{key}.metric", metric), (f"{key}.min", low), (f"{key}.max", high))
    yield from (
        (f"{event}.anomalies.minimum_sample", n) for event, n in _parted("--minimum-sample", flags.minimum_sample, keys)
    )
    yield from ((f"{event}.anomalies.actions", said) for event, said in _parted("--action", flags.actions, keys))
