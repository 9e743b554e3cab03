"""Nothing gets lost unnoticed: each leaf of a source is in the report, or the spec depends on it."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import check_spec
from telemetry.formats.building import ImportOptions
from telemetry.formats.catalogue import import_files
from telemetry.formats.cursor import write_pointer
from telemetry.formats.losses import Action, Loss
from telemetry.formats.sources import SourceFile, read_plain
from tests.core import strategies  # noqa: F401 - sets how many examples there are
from tests.formats.real_files import REAL, files_of
from tests.formats.samples import SAMPLES

# Samples that are JSON or YAML; the others have tests of their own.
PLAIN = [name for name, (format_, _) in SAMPLES.items() if format_ not in ("csv", "contractspec")]
Step = str | int


def leaves(value: Any, path: tuple[Step, ...] = ()) -> Iterator[tuple[Step, ...]]:
    """The places of texts, numbers, truth values, nulls, and of objects and lists without entries."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path


def changed(value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, int | float):
        return value + 1
    return {"x": 1} if value == {} else ["x"] if value == [] else "x"


def with_change(value: Any, path: tuple[Step, ...]) -> Any:
    """A copy in which the leaf at this place is another."""
    if not path:
        return changed(value)
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_change(value[path[0]], path[1:])
    return copy


def read(format_: str, files: Sequence[SourceFile]) -> tuple[tuple[TelemetrySpec, ...], tuple[Loss, ...]] | str:
    """Specs and losses, or the error."""
    try:
        imported = import_files(files, ImportOptions(), format_=format_)[1]
    except InvalidDocument as error:
        return error.message
    for spec in imported.specs:
        assert check_spec(spec) == ()
    return imported.specs, imported.report.losses


@pytest.mark.parametrize("name", [*PLAIN, *REAL])
@given(data=st.data())
def test_a_leaf_that_is_not_in_the_report_is_in_the_spec(name: str, data: st.DataObject) -> None:
    # Given one leaf of one file that the report does not mention.
    format_, files = files_of(name)
    before = read(format_, files)
    assert not isinstance(before, str)
    reported = {(loss.file, loss.path) for loss in before[1]}
    at = data.draw(st.integers(0, len(files) - 1))
    file = files[at]
    plain = read_plain(file)
    place = file.name if len(files) > 1 else ""
    silent = [path for path in leaves(plain) if (place, write_pointer(path)) not in reported]
    if not silent:
        return
    path = data.draw(st.sampled_from(silent))

    # When it says something else.
    other = SourceFile(file.name, json.dumps(with_change(plain, path)).encode())
    after = read(format_, [*files[:at], other, *files[at + 1 :]])

    # Then the result is another.
    assert after != before, f"{file.name}{write_pointer(path)} is neither in the spec nor in the report"


@pytest.mark.parametrize("name", [*SAMPLES, *REAL])
def test_places_in_the_report_exist_and_come_in_the_order_of_the_source(name: str) -> None:
    format_, files = files_of(name)
    result = read(format_, files)
    assert not isinstance(result, str)

    assert all(loss.reason for loss in result[1])
    assert all(loss.target for loss in result[1] if loss.action in (Action.APPROXIMATED, Action.DEFAULTED))
    assert all(loss.name and loss.became for loss in result[1] if loss.action is Action.RENAMED)
