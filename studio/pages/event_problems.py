"""What is wrong with the entries of the event editor, and where a person finds it."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

__all__ = ["CONDITION_ID", "TABS", "ConditionRow", "Problem", "condition_rows", "place_of_finding", "problems_of"]

TABS: Final = {
    "meaning": "Meaning",
    "properties": "Properties",
    "privacy": "Privacy",
    "retention": "Retention",
    "sampling": "Sampling",
    "anomalies": "Anomaly rules",
}
# By the first words of a field's name or of a path in an event; what is not named belongs to the meaning.
_PLACES: Final = {
    "propert": "properties",
    "privacy": "privacy",
    "retention": "retention",
    "sampling": "sampling",
    "anomaly": "anomalies",
    "threshold": "anomalies",
}
CONDITION_ID: Final = "id_sampling_conditions_{}"
_LINE: Final = re.compile(r"Line ([0-9]+): ")
_COLUMN: Final = re.compile(r"\(column ([0-9]+)\)")


class Problem(NamedTuple):
    """One rule that an entry breaks. ``target`` is the id of the field, empty for what no field shows."""

    tab: str
    target: str
    label: str
    message: str


class ConditionRow(NamedTuple):
    """One condition as typed, what is wrong with it, and a line that points at the column."""

    target: str
    text: str
    error: str
    pointer: str


def place_of_finding(name: str) -> str:
    """The tab of a field, or of a path inside an event."""
    return next((tab for start, tab in _PLACES.items() if name.startswith(start)), "meaning")


def problems_of(form: Any, properties: Any, thresholds: Any) -> Iterator[Problem]:
    """Everything that the three forms refuse, in the order of the tabs; nothing for forms that were not sent."""
    if not form.is_bound:
        return
    yield from (Problem("", "", "", str(message)) for message in form.non_field_errors())
    found = [*_of_form(form), *_of_rows(properties), *_of_rows(thresholds)]
    order = list(TABS)
    yield from sorted(found, key=lambda problem: order.index(problem.tab))


def _of_form(form: Any) -> Iterator[Problem]:
    for name, messages in form.errors.items():
        if name == "__all__":
            continue
        bound = form[name]
        for message in messages:
            line = _LINE.match(message) if name == "sampling_conditions" else None
            if line is None:
                yield Problem(place_of_finding(name), bound.id_for_label or bound.auto_id, bound.label, str(message))
            else:
                target = CONDITION_ID.format(int(line[1]) - 1)
                yield Problem("sampling", target, f"Condition {line[1]}", message[line.end() :])


def _of_rows(formset: Any) -> Iterator[Problem]:
    tab = place_of_finding(formset.prefix)
    yield from (Problem(tab, "", "", str(message)) for message in formset.non_form_errors())
    for number, row in enumerate(formset.forms, start=1):
        key = row["name" if "name" in row.fields else "metric"].value() or f"row {number}"
        for name, messages in row.errors.items():
            for message in messages:
                target, label = ("", "") if name == "__all__" else (row[name].auto_id, row[name].label)
                yield Problem(tab, target, f"{key}: {label}".removesuffix(": "), str(message))


def condition_rows(bound: Any) -> list[ConditionRow]:
    """The conditions as typed, each with its own error, and an empty row."""
    messages = {}
    for message in bound.errors:
        line = _LINE.match(message)
        if line is not None:
            messages[int(line[1]) - 1] = message[line.end() :]
    texts = (bound.value() or "").splitlines()
    filled = [text.strip() for text in texts if text.strip()]
    return [
        ConditionRow(CONDITION_ID.format(index), text, messages.get(index, ""), _pointer(messages.get(index, "")))
        for index, text in enumerate([*filled, ""])
    ]


def _pointer(message: str) -> str:
    column = _COLUMN.search(message)
    return "" if column is None else " " * (int(column[1]) - 1) + "^"
