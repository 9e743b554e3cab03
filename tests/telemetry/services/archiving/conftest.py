"""An archive of each test's own, and an installation whose events go there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenants.models import Installation
from tests.telemetry.archives import archive_in
from tests.telemetry.counting import counts_stay_true
from tests.telemetry.factories import make_installation

__all__ = ["archive", "counts_stay_true", "installation"]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Path]:
    """The directory that is the archive, empty."""
    with archive_in(tmp_path / "archive"):
        yield tmp_path / "archive"


@pytest.fixture
def installation(db: None) -> Installation:
    return make_installation()
