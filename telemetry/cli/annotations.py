"""Remarks about places in files, written for people, programs, code scanning and pipelines."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from itertools import groupby
from typing import Any, Final
from urllib.parse import quote

import msgspec
from rich.console import Console
from rich.text import Text

from telemetry.cli.terminal import console, printable, write

__all__ = ["Annotation", "Level", "OutputFormat", "RuleText", "say_annotations", "write_annotations"]


class OutputFormat(StrEnum):
    """For whom remarks are written."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


class Level(StrEnum):
    """How loud a remark is, in the words of code scanning."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Annotation(msgspec.Struct, frozen=True, kw_only=True):
    """A remark about one place of a file; ``line`` and ``column`` count from 1, ``word`` is its class for people."""

    file: str
    line: int
    column: int
    level: Level
    word: str
    rule: str
    path: str
    message: str
    hint: str = ""


class RuleText(msgspec.Struct, frozen=True):
    """What a rule says, and what to do where it is not followed."""

    summary: str
    help: str


Rules = Mapping[str, RuleText]

_STYLES: Final = {Level.ERROR: "red", Level.WARNING: "yellow", Level.NOTE: "blue"}


def write_annotations(annotations: Sequence[Annotation], format_: OutputFormat, *, rules: Rules, summary: str) -> None:
    """The remarks on standard output, in their order; ``summary`` is a last line for people."""
    _WRITERS[format_](annotations, rules, summary)


def say_annotations(annotations: Sequence[Annotation], *, summary: str) -> None:
    """The remarks on standard error, for people, beside a result on standard output."""
    _print(annotations, summary, console(is_error=True))


def _write_text(annotations: Sequence[Annotation], _rules: Rules, summary: str) -> None:
    _print(annotations, summary, console())


def _print(annotations: Sequence[Annotation], summary: str, out: Console) -> None:
    for file, remarks in groupby(annotations, key=lambda each: each.file):
        out.print(Text(printable(file), style="bold"))
        for each in remarks:
            line = Text(f"  {each.line}:{each.column}".ljust(10))
            line.append(f"{each.word:<9}", style=_STYLES[each.level])
            line.append(f"{each.rule}  {printable(each.path)}")
            out.print(line)
            said = f"{each.message}. {each.hint}" if each.hint else each.message
            out.print(Text(" " * 10 + printable(said), style="dim"))
    out.print(printable(summary))


def _write_json(annotations: Sequence[Annotation], _rules: Rules, _summary: str) -> None:
    remarks = [msgspec.to_builtins(each) | {"severity": each.word} for each in annotations]
    for remark in remarks:
        del remark["word"]
    counts = {word: sum(each.word == word for each in annotations) for word in sorted({a.word for a in annotations})}
    write(json.dumps({"findings": remarks, "counts": counts}, indent=2, ensure_ascii=False))


def _write_sarif(annotations: Sequence[Annotation], rules: Rules, _summary: str) -> None:
    """Source: OASIS, Static Analysis Results Interchange Format 2.1.0."""
    used = list(dict.fromkeys(each.rule for each in annotations))
    driver = {
        "name": "Telemetry Studio",
        "rules": [_sarif_rule(name, rules.get(name)) for name in used],
    }
    results = [_sarif_result(each, used.index(each.rule)) for each in annotations]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    write(json.dumps(log, indent=2, ensure_ascii=False))


def _sarif_rule(name: str, text: RuleText | None) -> dict[str, Any]:
    if text is None:
        return {"id": name}
    return {"id": name, "shortDescription": {"text": text.summary}, "help": {"text": text.help}}


def _sarif_result(each: Annotation, rule_index: int) -> dict[str, Any]:
    place: dict[str, Any] = {
        "physicalLocation": {
            # By its bytes, as the name of a file need not be valid text.
            "artifactLocation": {"uri": quote(os.fsencode(each.file.replace("\\", "/")))},
            "region": {"startLine": each.line, "startColumn": each.column},
        }
    }
    if each.path:
        place["logicalLocations"] = [{"fullyQualifiedName": each.path}]
    return {
        "ruleId": each.rule,
        "ruleIndex": rule_index,
        "level": each.level.value,
        "message": {"text": f"{each.message}. {each.hint}" if each.hint else each.message},
        "locations": [place],
    }


def _write_github(annotations: Sequence[Annotation], _rules: Rules, summary: str) -> None:
    """Source: workflow commands for GitHub Actions; GitLab and others read SARIF."""
    for each in annotations:
        level = "notice" if each.level is Level.NOTE else each.level.value
        place = {"file": each.file, "line": each.line, "col": each.column, "title": each.rule}
        settings = ",".join(f"{key}={_escaped(str(value), in_setting=True)}" for key, value in place.items())
        said = f"{each.path}: {each.message}" if each.path else each.message
        write(f"::{level} {settings}::{_escaped(f'{said}. {each.hint}' if each.hint else said)}")
    write(printable(summary))


def _escaped(text: str, *, in_setting: bool = False) -> str:
    signs = {"%": "%25", "\r": "%0D", "\n": "%0A"} | ({":": "%3A", ",": "%2C"} if in_setting else {})
    return "".join(signs.get(character, character) for character in text)


_WRITERS: Final[Mapping[OutputFormat, Callable[[Sequence[Annotation], Rules, str], None]]] = {
    OutputFormat.TEXT: _write_text,
    OutputFormat.JSON: _write_json,
    OutputFormat.SARIF: _write_sarif,
    OutputFormat.GITHUB: _write_github,
}
