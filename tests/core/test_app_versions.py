"""Versions of apps are ordered as people read them."""

import pytest

from telemetry.core.app_versions import is_app_version, version_order


def test_versions_sort_from_old_to_new() -> None:
    ordered = ["2.4.0-rc1", "2.4.0", "2.4.0.1", "2.4.1", "2.10", "3-beta", "3-beta2", "3", "2026.11.22"]

    shuffled = [ordered[place] for place in (4, 8, 0, 6, 2, 7, 1, 3, 5)]

    assert sorted(shuffled, key=version_order) == ordered


def test_builds_of_one_version_are_one() -> None:
    assert version_order("2.4.0+17") == version_order("2.4.0+18")


@pytest.mark.parametrize(("text", "is_version"), [("2.4.0-rc1+7", True), ("", False), ("a@b.c", False), ("1 2", False)])
def test_a_version_has_no_room_for_an_address(text: str, *, is_version: bool) -> None:
    assert bool(is_app_version(text)) is is_version
