"""Published versions are final in the database, whoever asks."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from telemetry.models import SpecVersion, VersionStatus
from tests.core.builders import NOON, make_spec
from tests.telemetry.factories import make_published

pytestmark = pytest.mark.django_db

AsOwner = Callable[[], AbstractContextManager[None]]
OTHERS: list[tuple[str, Any]] = [
    ("document", "{}"),
    ("checksum", "0" * 64),
    ("version", 7),
    ("change_summary", "another reason"),
    ("published_by_label", "somebody else"),
    ("published_by_id", "7"),
    ("published_at", NOON),
]


@pytest.mark.parametrize(("column", "value"), OTHERS)
def test_the_application_cannot_change_a_published_version(column: str, value: Any) -> None:
    version = make_published()

    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        SpecVersion.objects.filter(pk=version.pk).update(**{column: value})

    assert SpecVersion.objects.values().get() == SpecVersion.objects.filter(document=version.document).values().get()


@pytest.mark.parametrize(("column", "value"), OTHERS)
def test_the_owner_of_the_tables_cannot_either(as_owner: AsOwner, column: str, value: Any) -> None:
    version = make_published()

    with as_owner(), pytest.raises(IntegrityError, match="final"), transaction.atomic():
        SpecVersion.objects.filter(pk=version.pk).update(**{column: value})

    assert getattr(SpecVersion.objects.get(), column) == getattr(version, column)


def test_a_version_cannot_move_to_another_spec() -> None:
    version, other = make_published(), make_published(make_spec(name="other"))

    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        SpecVersion.objects.filter(pk=version.pk).update(spec=other.spec, version=9, status=VersionStatus.SUPERSEDED)

    assert SpecVersion.objects.get(pk=version.pk).spec_id == version.spec_id


def test_nobody_can_remove_a_version(as_owner: AsOwner) -> None:
    version = make_published()

    with pytest.raises(IntegrityError, match="final"), transaction.atomic():
        SpecVersion.objects.all().delete()
    with as_owner(), pytest.raises(IntegrityError, match="final"), transaction.atomic():
        SpecVersion.objects.all().delete()

    assert SpecVersion.objects.get().document == version.document


def test_the_application_cannot_empty_the_table() -> None:
    make_published()

    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("TRUNCATE telemetry_specversion CASCADE")

    assert SpecVersion.objects.count() == 1


def test_the_status_of_a_version_can_move_on() -> None:
    version = make_published()

    SpecVersion.objects.filter(pk=version.pk).update(status=VersionStatus.SUPERSEDED)

    assert SpecVersion.objects.get().status == VersionStatus.SUPERSEDED


def test_a_spec_has_one_published_version_at_most() -> None:
    version = make_published()

    with pytest.raises(IntegrityError, match="telemetry_version_one_published"), transaction.atomic():
        SpecVersion.objects.create(
            spec=version.spec,
            version=2,
            status=VersionStatus.PUBLISHED,
            document="{}",
            checksum="0" * 64,
            published_by_label="somebody",
            published_at=NOON,
        )

    assert SpecVersion.objects.count() == 1
