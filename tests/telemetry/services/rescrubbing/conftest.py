"""An archive of each test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.telemetry.archives import archive_in
from tests.telemetry.counting import counts_stay_true

__all__ = ["archive", "counts_stay_true"]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Path]:
    """The directory that is the archive, empty."""
    with archive_in(tmp_path / "archive"):
        yield tmp_path / "archive"
