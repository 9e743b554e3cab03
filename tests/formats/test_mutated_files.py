"""Whatever a file is, its import ends with valid specs and a report, or with an error that names a rule."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.errors import InvalidDocument
from telemetry.core.validation import check_spec
from telemetry.formats.building import ImportOptions
from telemetry.formats.catalogue import FORMATS, guess_format, import_files
from telemetry.formats.sources import SourceFile, read_plain
from tests.core.strategies import json_values, texts
from tests.formats.samples import SAMPLES

PLAIN = [name for name, (format_, _) in SAMPLES.items() if format_ not in ("csv", "contractspec")]
# Text that means something in at least one of the formats.
FRAGMENTS = st.sampled_from(
    [
        *"{}[]()<>\"'`,:;=|&*!%@#\\\n\r\t\0",
        "...",
        "<<: ",
        "---",
        "&a ",
        "*a ",
        "null",
        "1e999",
        "-",
        "${",
        "export ",
        "=1+1",
        "\ufeff",
        "\ud83d\ude00",
    ]
)


def import_or_refuse(format_: str | None, files: list[SourceFile]) -> bool:
    """Whether the files are imported; nothing but one kind of error may come of them."""
    try:
        imported = import_files(files, ImportOptions(), format_=format_)[1]
    except InvalidDocument as error:
        return not error.errors
    assert imported.report.specs == tuple(spec.meta.name for spec in imported.specs)
    for spec in imported.specs:
        assert check_spec(spec) == ()
    json.dumps(imported.report.to_plain())
    return True


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place of a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in items for place in places(item, (*path, key)))]


def replaced(value: Any, path: tuple[str | int, ...], other: Any) -> Any:
    """A copy with another value at one place; ``...`` stands for no value."""
    if not path:
        return None if other is ... else other
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if len(path) == 1 and other is ...:
        del copy[path[0]]
    else:
        copy[path[0]] = replaced(value[path[0]], path[1:], other)
    return copy


@pytest.mark.parametrize("name", PLAIN)
@given(data=st.data())
def test_a_file_with_other_parts_is_imported_or_refused(name: str, data: st.DataObject) -> None:
    format_, files = SAMPLES[name]
    at = data.draw(st.integers(0, len(files) - 1))
    plain = read_plain(files[at])
    for _ in range(data.draw(st.integers(1, 3))):
        found = places(plain)
        elsewhere = data.draw(st.sampled_from(found))
        other = data.draw(st.one_of(st.just(...), json_values(), st.just(_at(plain, elsewhere))))
        plain = replaced(plain, data.draw(st.sampled_from(found)), other)
    mutated = SourceFile(files[at].name, json.dumps(plain).encode())

    import_or_refuse(format_, [*files[:at], mutated, *files[at + 1 :]])


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@pytest.mark.parametrize("name", SAMPLES)
@given(data=st.data())
def test_a_file_with_other_bytes_is_imported_or_refused(name: str, data: st.DataObject) -> None:
    format_, files = SAMPLES[name]
    at = data.draw(st.integers(0, len(files) - 1))
    content = files[at].data
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 40)))
        inserted = data.draw(
            st.one_of(
                st.binary(max_size=4),
                FRAGMENTS.map(lambda text: text.encode(errors="replace")),
                texts().map(str.encode),
            )
        )
        content = content[:start] + inserted + content[end:]

    import_or_refuse(format_, [*files[:at], SourceFile(files[at].name, content), *files[at + 1 :]])


@pytest.mark.parametrize("format_", FORMATS)
@given(plain=json_values())
def test_any_data_is_imported_or_refused(format_: str, plain: Any) -> None:
    file = SourceFile("plan", json.dumps(plain).encode())

    import_or_refuse(format_, [file])


@given(content=st.one_of(st.binary(max_size=200), texts().map(str.encode)))
def test_guessing_knows_a_format_or_says_so(content: bytes) -> None:
    import_or_refuse(None, [SourceFile("plan", content)])


@pytest.mark.parametrize("name", SAMPLES)
def test_the_format_of_a_sample_is_guessed(name: str) -> None:
    format_, files = SAMPLES[name]

    assert guess_format(files).name == format_


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 100_000,
        b'{"a":' * 3_000 + b"1" + b"}" * 3_000,
        b"a: &a [x]\n" + b"".join(b"b%d: &b%d [*a, *a]\n" % (i, i) for i in range(9)),
        b"export const a = " + b"(" * 20_000,
        b"export const a = " + b"{ meta: { a: " * 5_000 + b"1",
        b"const a = b; const b = a; export const c: TelemetrySpec = { meta: a, events: [...c] };",
        b"event\n" + b"x" * 200_000,
        b'event\n"' + b"a\n" * 1_000,
        b"A = " + b"(" * 5_000,
        b"x = TelemetrySpec(meta=" + b"-" * 5_000 + b"1)",
        b"\xff\xfe\x00",
        b"",
        b"{" + b",".join(b'"k%d": {"type": "object", "properties": {}}' % i for i in range(3_000)) + b"}",
    ],
    ids=lambda content: content[:20].decode(errors="replace"),
)
@pytest.mark.parametrize("format_", FORMATS)
def test_hostile_files_are_refused_or_read_in_the_end(format_: str, content: bytes) -> None:
    import_or_refuse(format_, [SourceFile("plan", content)])


def test_references_that_lead_in_circles_end() -> None:
    schema = {
        "type": "object",
        "$ref": "#/$defs/a",
        "properties": {"a": {"$ref": "#/properties/a"}, "b": {"allOf": [{"$ref": "#"}]}},
        "$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}},
    }

    assert import_or_refuse("json-schema", [SourceFile("a.json", json.dumps(schema).encode())])


def test_more_events_than_a_spec_may_have_are_refused() -> None:
    rules = [{"type": "TRACK", "key": f"e{index}", "jsonSchema": {}} for index in range(2_001)]

    with pytest.raises(InvalidDocument, match="at most 2000 entries"):
        import_files([SourceFile("plan.json", json.dumps({"rules": rules}).encode())], ImportOptions())
