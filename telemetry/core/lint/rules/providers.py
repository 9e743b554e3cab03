"""Rules about the places where events go: secrets stay out of documents, and nothing is sent twice."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from telemetry.core.enums import Severity
from telemetry.core.lint.personal import is_secret_name
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec
from telemetry.core.lint.words import words_of
from telemetry.core.plain import to_plain
from telemetry.core.shapes import Path

__all__ = ["PROVIDER_RULES"]

# How documents refer to the app's environment.
_REFERENCE: Final = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
# How other tools do; here they would be sent as they are.
_FOREIGN_REFERENCE: Final = re.compile(
    r"\$[A-Za-z_][A-Za-z0-9_]*|\$\{.*\}|\$\(.*\)|\{\{.*\}\}|%[A-Z_][A-Z0-9_]*%|<[A-Z_][A-Z0-9_]*>|process\.env\..*|env[:.].*",
    re.DOTALL,
).fullmatch
_USER_IN_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^/@\s:]*:[^/@\s]+@", re.IGNORECASE).match


def provider_secret(linted: LintedSpec) -> Iterator[Problem]:
    """A key, token or password written out, for everybody who reads the document."""
    for path, text in _settings(linted):
        if not text.strip() or _REFERENCE.search(text) or _FOREIGN_REFERENCE(text.strip()):
            continue
        if _USER_IN_ADDRESS(text) or _names_secret(path):
            yield Problem(path, "holds a secret as plain text, for everybody who reads the document or the config")


def provider_reference(linted: LintedSpec) -> Iterator[Problem]:
    """A reference to the environment in the notation of another tool, which is sent as it is."""
    for path, text in _settings(linted):
        if not _REFERENCE.search(text) and _FOREIGN_REFERENCE(text.strip()):
            yield Problem(path, "looks like a reference to the environment, and is taken as plain text")


def provider_repeated(linted: LintedSpec) -> Iterator[Problem]:
    """The same place twice: it gets every event twice."""
    seen: list[object] = []
    for index, provider in enumerate(linted.defaults.providers):
        plain = to_plain(provider)
        if plain in seen:
            yield Problem(("config", "providers", index), f"is the same as providers[{seen.index(plain)}]")
        seen.append(plain)


def _settings(linted: LintedSpec) -> Iterator[tuple[Path, str]]:
    """Every text in the settings of providers."""
    for index, provider in enumerate(linted.defaults.providers):
        yield from _texts(("config", "providers", index, "config"), provider.config)


def _texts(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts((*path, key), item)
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _texts((*path, index), item)


def _names_secret(path: Path) -> bool:
    """Whether the setting's name, or that of the list it is in, says that it is a secret."""
    name = next((step for step in reversed(path) if isinstance(step, str)), "")
    return words_of(name) == ("key",) or is_secret_name(name)


PROVIDER_RULES = table(
    "providers",
    (
        provider_secret,
        Severity.ERROR,
        "Secrets of providers come from the environment of the app.",
        "Write ${NAME}, and set NAME in the app's environment. Renew the secret: it has been seen.",
    ),
    (
        provider_reference,
        Severity.WARNING,
        "References to the environment are written ${NAME}.",
        "Write ${NAME}.",
    ),
    (
        provider_repeated,
        Severity.WARNING,
        "Each provider is listed once.",
        "Remove the repetition, or correct its settings.",
    ),
)
