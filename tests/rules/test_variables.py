"""The environment variables: each one that the settings read is documented, and reaches the containers."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]

# A developer's, the image's own, and the name that the script for PostgreSQL gives to the role.
NOT_FOR_CONTAINERS = {"STUDIO_DEBUG", "STUDIO_INSECURE_LOCAL", "STUDIO_STATIC_ROOT", "STUDIO_DATABASE_ROLE"}


def variables_read() -> set[str]:
    """The names that the typed readers are asked for, wherever that is."""
    sources = [path.read_text() for path in (ROOT / "studio").rglob("*.py")]
    return {name for source in sources for name in re.findall(r"\benv\.\w+\(\s*\"([A-Z0-9_]+)\"", source)}


def test_every_variable_is_documented_for_operators() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()

    undocumented = {name for name in variables_read() if not re.search(rf"^\| `{name}` \|", text, re.MULTILINE)}

    assert variables_read() >= {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STUDIO_PORT"}
    assert undocumented == set()


def test_every_variable_of_production_reaches_the_containers() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    local = {"STUDIO_PORT", "STUDIO_DATA_DIR"}

    for name in ("web", "worker", "beat", "migrate"):
        assert services[name]["environment"].keys() == variables_read() - NOT_FOR_CONTAINERS - local
