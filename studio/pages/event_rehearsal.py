"""What a person asks the event editor for, short of saving: a check, another row, another order, rows of a sample."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, QueryDict

from telemetry.core.enums import PropertyType
from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import PropertyDefinition
from telemetry.formats.samples import properties_of_sample

__all__ = ["COMMANDS", "Answer", "begin_rehearsal", "carry_out", "rehearsal_of"]

_ATTRIBUTE = "studio_rehearsal"

# Names of the buttons that change the form and save nothing.
COMMANDS: Final = ("_check", "_add_property", "_add_threshold", "_move", "_paste")


class Answer(NamedTuple):
    """What became of a command: the entries as they are now, what to say about it, and the tab to show."""

    entries: QueryDict
    said: str = ""
    problem: str = ""
    tab: str = ""


def carry_out(request: HttpRequest) -> Answer | None:
    """The entries after the command that was sent; ``None`` when the person wants to save."""
    command = next((name for name in COMMANDS if name in request.POST), None)
    if command is None:
        return None
    entries = request.POST.copy()
    match command:
        case "_add_property":
            _add_rows(entries, "properties", [{"type": PropertyType.STRING.value}])
            return Answer(entries, tab="properties")
        case "_add_threshold":
            _add_rows(entries, "thresholds", [{}])
            return Answer(entries, tab="anomalies")
        case "_move":
            _move(entries, request.POST["_move"])
            return Answer(entries, tab="properties")
        case "_paste":
            return _paste(entries)
    return Answer(entries, said="Checked. Nothing was saved.", tab="")


def begin_rehearsal(request: HttpRequest, answer: Answer) -> None:
    """The request's forms are filled with the answer's entries, and save nothing."""
    request.POST = answer.entries  # type: ignore[assignment]  # a copy is as good as what came
    setattr(request, _ATTRIBUTE, answer)


def rehearsal_of(request: HttpRequest) -> Answer | None:
    """What became of the command, if one was sent."""
    return getattr(request, _ATTRIBUTE, None)


def _count(entries: QueryDict, prefix: str) -> int:
    text = entries.get(f"{prefix}-TOTAL_FORMS", "")
    # Django takes no more rows than this, whatever is claimed.
    return min(int(text), 1_000) if text.isascii() and text.isdigit() else 0


def _add_rows(entries: QueryDict, prefix: str, rows: list[dict[str, str]]) -> None:
    count = _count(entries, prefix)
    for index, row in enumerate(rows, start=count):
        for name, value in row.items():
            entries[f"{prefix}-{index}-{name}"] = value
    entries[f"{prefix}-TOTAL_FORMS"] = str(count + len(rows))


def _move(entries: QueryDict, wish: str) -> None:
    """A property and its neighbour change places; ``wish`` is such as ``2:up``. Nothing happens at an end."""
    order = sorted(range(_count(entries, "properties")), key=lambda index: _place(entries, index))
    index, _, direction = wish.partition(":")
    if not index.isdigit() or int(index) not in order:
        return
    at = order.index(int(index))
    to = at + (-1 if direction == "up" else 1)
    if 0 <= to < len(order):
        order[at], order[to] = order[to], order[at]
    for place, each in enumerate(order):
        entries[f"properties-{each}-place"] = str(place)


def _place(entries: QueryDict, index: int) -> int:
    text = entries.get(f"properties-{index}-place", "")
    return int(text) if text.isascii() and text.isdigit() else index


def _paste(entries: QueryDict) -> Answer:
    """A row for every property of the sample that the event does not have yet."""
    try:
        found = properties_of_sample(entries.get("sample", ""))
    except InvalidDocument as error:
        return Answer(entries, problem="; ".join(map(str, error.errors)), tab="properties")
    known = {entries.get(f"properties-{index}-name", "") for index in range(_count(entries, "properties"))}
    new = {name: definition for name, definition in found.items() if name not in known}
    place = max((_place(entries, index) for index in range(_count(entries, "properties"))), default=-1) + 1
    rows = [_row(name, definition, place + offset) for offset, (name, definition) in enumerate(new.items())]
    _add_rows(entries, "properties", rows)
    entries["sample"] = ""
    return Answer(entries, said=_pasted(found, new), tab="properties")


def _row(name: str, definition: PropertyDefinition, place: int) -> dict[str, str]:
    switches = {"required": definition.required, "redact": definition.redact}
    return {
        "name": name,
        "type": definition.type.value,
        "pii": {True: "true", False: "false", None: ""}[definition.pii],
        "unit": definition.unit,
        "description": definition.description,
        "place": str(place),
        **{key: "on" for key, is_on in switches.items() if is_on},
    }


def _pasted(found: Mapping[str, Any], new: Mapping[str, PropertyDefinition]) -> str:
    personal = sum(definition.pii is True for definition in new.values())
    said = [f"{len(new)} propert{'y' if len(new) == 1 else 'ies'} added from the sample."]
    if personal:
        said.append(f"{personal} look{'s' if personal == 1 else ''} personal and will be hidden.")
    if len(found) > len(new):
        said.append(f"{len(found) - len(new)} of the same name stayed as they were.")
    return " ".join(said) + " Nothing is saved yet."
