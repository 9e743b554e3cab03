"""What waits to be sent: in order, bounded, whole or absent on disk, and sent by one process only."""

import logging
import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from telemetry.sdk.spool import Spool
from telemetry.sdk.spool_directory import SpoolDirectory

URL = "https://studio.example.com"
KEY = "tgs_prd_app_canary1234567890"


def make_directory(path: Path, *, key: str = KEY) -> SpoolDirectory:
    return SpoolDirectory(path, url=URL, api_key=key)


def make_spool(path: Path | None = None, *, maximum_bytes: int = 1_000_000, key: str = KEY) -> Spool:
    return Spool(maximum_bytes=maximum_bytes, directory=None if path is None else make_directory(path, key=key))


def take_all(spool: Spool) -> list[bytes]:
    items: list[bytes] = []
    while parcel := spool.take(most_items=2, most_bytes=1000):
        items += parcel.items
        spool.done(parcel)
    return items


def noise(size: int) -> bytes:
    """Bytes that do not shrink."""
    return os.urandom(size).hex().encode()


@pytest.fixture(params=["memory", "disk"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Spool:
    return make_spool(tmp_path / "spool" if request.param == "disk" else None)


def test_events_come_out_in_order_and_once(spool: Spool) -> None:
    spool.append([b"1", b"2"])
    spool.append([b"3"])
    spool.append([b"4", b"5", b"6"])

    assert not spool.is_empty()
    assert take_all(spool) == [b"1", b"2", b"3", b"4", b"5", b"6"]
    assert spool.is_empty()
    assert spool.stats().bytes == 0


def test_a_parcel_is_as_large_as_allowed_and_never_empty(spool: Spool) -> None:
    for item in (b"1", b"2", b"3"):
        spool.append([item])
    spool.append([b"4", b"5", b"6"])

    sizes = []
    while parcel := spool.take(most_items=2, most_bytes=1000):
        sizes.append(len(parcel.items))
        spool.done(parcel)

    assert sizes == [2, 1, 3]


def test_what_was_taken_and_not_done_is_taken_again(spool: Spool) -> None:
    spool.append([b"1"])

    first = spool.take(most_items=10, most_bytes=1000)
    again = spool.take(most_items=10, most_bytes=1000)

    assert first is not None
    assert again is not None
    assert first.items == again.items == [b"1"]


def test_a_full_spool_drops_the_oldest_that_nobody_is_sending_and_counts_them(tmp_path: Path) -> None:
    spool = make_spool(tmp_path, maximum_bytes=1800)
    spool.append([b"sending", noise(500)])
    parcel = spool.take(most_items=10, most_bytes=10_000)

    for name in (b"2", b"3", b"4", b"5"):
        spool.append([name, noise(500)])

    assert spool.stats().dropped == 4
    assert spool.stats().waiting == 6
    assert spool.stats().bytes <= 1800
    assert parcel is not None
    spool.done(parcel)
    assert take_all(spool)[::2] == [b"4", b"5"]
    assert not list(tmp_path.rglob("*.events"))


def test_one_append_that_is_larger_than_the_spool_is_kept_alone() -> None:
    spool = make_spool(maximum_bytes=10)
    spool.append([b"first"])

    spool.append([noise(100)])

    assert (spool.stats().waiting, spool.stats().dropped) == (1, 1)


# On disk


def test_files_and_folders_are_for_their_owner_only(tmp_path: Path) -> None:
    spool = make_spool(tmp_path / "deep" / "spool")

    spool.append([b"1"])

    found = list((tmp_path / "deep" / "spool").rglob("*"))
    assert {stat.S_IMODE(each.stat().st_mode) for each in found if each.is_file()} == {0o600}
    assert {stat.S_IMODE(each.stat().st_mode) for each in found if each.is_dir()} == {0o700}
    assert not any(KEY in str(each) for each in found)


def test_what_a_process_that_is_gone_left_behind_is_recovered_in_order_and_apart(tmp_path: Path) -> None:
    earlier = make_spool(tmp_path)
    earlier.append([b"1", b"2"])
    earlier.append([b"3"])
    earlier.close()
    spool = make_spool(tmp_path)
    spool.append([b"own"])

    recovered = spool.recover()

    assert recovered == 3
    assert (spool.stats().waiting, spool.stats().recovered_waiting) == (1, 3)
    parcels = []
    while parcel := spool.take(most_items=100, most_bytes=1000):
        parcels.append((list(parcel.items), parcel.is_recovered))
        spool.done(parcel)
    assert parcels == [([b"own"], False), ([b"1", b"2", b"3"], True)]


def test_the_events_of_a_process_that_lives_are_left_to_it(tmp_path: Path) -> None:
    living = make_spool(tmp_path)
    living.append([b"1"])

    assert make_spool(tmp_path).recover() == 0

    assert take_all(living) == [b"1"]


def test_two_processes_cannot_recover_the_same_events(tmp_path: Path) -> None:
    earlier = make_spool(tmp_path)
    earlier.append([b"1"])
    earlier.close()
    first, second = make_spool(tmp_path), make_spool(tmp_path)

    assert (first.recover(), second.recover()) == (1, 0)


def test_events_of_one_key_are_never_sent_under_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    earlier = make_spool(tmp_path, key="tgs_prd_app_another67890")
    earlier.append([b"1"])
    earlier.close()

    assert make_spool(tmp_path).recover() == 0

    assert caplog.messages == ["spool.left_for_other_keys folders=1"]


def test_a_file_that_was_never_finished_counts_as_absent_and_a_damaged_one_as_lost(tmp_path: Path) -> None:
    earlier = make_spool(tmp_path)
    earlier.append([b"1", b"2"])
    earlier.append([b"3"])
    earlier.close()
    damaged = sorted(tmp_path.rglob("*.events"))[0]
    damaged.write_bytes(damaged.read_bytes()[:5])
    (damaged.parent / ".unfinished").write_bytes(b"half")

    spool = make_spool(tmp_path)
    spool.recover()

    assert take_all(spool) == [b"3"]
    assert spool.stats().recovered_dropped == 2


def test_a_closed_spool_leaves_events_on_disk_and_no_empty_folder(tmp_path: Path) -> None:
    full, empty = make_spool(tmp_path), make_spool(tmp_path)
    full.append([b"1"])
    empty.append([b"2"])
    take_all(empty)

    assert (full.close(), empty.close()) == (0, 0)

    [folder] = [each for root in tmp_path.iterdir() for each in root.iterdir()]
    assert len(list(folder.glob("*.events"))) == 1


def test_a_closed_spool_in_memory_says_what_is_lost() -> None:
    spool = make_spool()
    spool.append([b"1", b"2"])

    assert spool.close() == 2

    assert spool.stats().dropped == 2
    assert spool.is_empty()


def test_events_wait_in_memory_while_the_disk_takes_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "telemetry.sdk")
    blocked = tmp_path / "spool"
    blocked.write_text("a file where a folder should be")
    spool = make_spool(blocked)

    spool.append([b"1"])
    spool.append([b"2"])
    blocked.unlink()
    spool.append([b"3"])

    assert take_all(spool) == [b"1", b"2", b"3"]
    assert caplog.messages == [
        "spool.disk_failing error=FileExistsError",
        "spool.disk_recovered",
    ] or caplog.messages == [
        "spool.disk_failing error=NotADirectoryError",
        "spool.disk_recovered",
    ]


def _append_in_child(path: Path) -> None:
    spool = make_spool(path)
    spool.append([b"child"])
    # As a kill would: nothing is closed.
    os._exit(0)


def test_what_a_killed_process_wrote_is_there_for_the_next(tmp_path: Path) -> None:
    child = multiprocessing.get_context("fork").Process(target=_append_in_child, args=(tmp_path,))

    child.start()
    child.join()

    spool = make_spool(tmp_path)
    assert spool.recover() == 1
    assert take_all(spool) == [b"child"]
