"""The copy on disk: what was written comes back, anything else counts as absent."""

import stat
from pathlib import Path

import pytest

from telemetry.sdk.disk_copy import DiskCopy

URL = "https://studio.example.com"
DOCUMENT = b'{"revision": 7}'


def make_copy(path: Path, *, url: str = URL, api_key: str = "key-a", maximum_bytes: int = 1000) -> DiskCopy:
    return DiskCopy(path, url=url, api_key=api_key, maximum_bytes=maximum_bytes)


def test_what_was_written_last_comes_back(tmp_path: Path) -> None:
    copy = make_copy(tmp_path / "new folder" / "config")

    copy.write(b"first")
    copy.write(DOCUMENT)

    assert copy.read() == DOCUMENT
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["config"]


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config"

    make_copy(path).write(DOCUMENT)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_does_not_hold_the_api_key(tmp_path: Path) -> None:
    path = tmp_path / "config"

    make_copy(path, api_key="tgs-secret").write(DOCUMENT)

    assert b"tgs-secret" not in path.read_bytes()


def test_no_file_is_no_copy(tmp_path: Path) -> None:
    assert make_copy(tmp_path / "config").read() is None
    assert make_copy(tmp_path).read() is None


def test_a_copy_of_another_studio_or_key_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "config"
    make_copy(path).write(DOCUMENT)

    assert make_copy(path, url="https://other.example.com").read() is None
    assert make_copy(path, api_key="key-b").read() is None


def test_every_changed_or_missing_byte_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "config"
    copy = make_copy(path)
    copy.write(DOCUMENT)
    intact = path.read_bytes()

    for index in range(len(intact)):
        path.write_bytes(intact[:index] + bytes([intact[index] ^ 1]) + intact[index + 1 :])
        assert copy.read() is None
        path.write_bytes(intact[:index])
        assert copy.read() is None
    path.write_bytes(intact + b" ")
    assert copy.read() is None


def test_a_file_beyond_the_limit_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "config"
    make_copy(path).write(DOCUMENT)

    assert make_copy(path, maximum_bytes=len(DOCUMENT)).read() == DOCUMENT
    assert make_copy(path, maximum_bytes=len(DOCUMENT) - 1).read() is None


def test_a_failed_write_raises_and_leaves_the_old_copy_and_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    folder.mkdir()

    with pytest.raises(OSError, match="config"):
        make_copy(folder).write(DOCUMENT)

    assert [path.name for path in tmp_path.iterdir()] == ["config"]
