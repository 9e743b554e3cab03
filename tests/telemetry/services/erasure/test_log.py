"""After a restore, everybody who was erased is erased again; and the receipts prove it to an outsider."""

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from telemetry.formats.receipts import read_receipts, verify_receipts
from telemetry.models import ErasedSubject, ErasureRequest, ErasureState
from telemetry.services.erasure.log import reapply_erasures
from telemetry.services.receipts import export_receipts
from tenants.context import ALL, tenant_context
from tests.telemetry.archives import archive_in
from tests.telemetry.factories import ingest
from tests.telemetry.services.erasure.person import PERSON, about, confirm, enter, finish, make_shop, prepare, stored

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def archive(tmp_path: Path) -> Iterator[Path]:
    with archive_in(tmp_path / "archive"):
        yield tmp_path / "archive"


def restore_an_older_backup() -> None:
    """The database is as it was before the request: nobody remembers it."""
    with tenant_context(ALL):
        ErasedSubject.objects.all().delete()
        ErasureRequest.objects.all().delete()


def test_a_person_whom_a_backup_brought_back_is_erased_again() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    [request] = enter(shop.tenant, reference="DSR-1")
    confirm(request)
    finish(request)
    restore_an_older_backup()
    ingest(shop, about(), about("somebody else"))
    assert stored() == 2

    said = StringIO()
    call_command("reapply_erasures", stdout=said)
    call_command("reapply_erasures", stdout=said)

    assert said.getvalue() == "1 erasure requests are carried out again.\n" * 2
    with tenant_context(ALL):
        [again] = ErasureRequest.objects.select_related("tenant").all()
    assert (again.public_id, again.reference) == (request.public_id, "DSR-1")
    finish(again)
    assert (again.state, again.erased, stored()) == (
        ErasureState.DONE,
        [["store", shop.pk, "shop.order", 1], ["tallies", shop.pk, "shop.order", 1]],
        1,
    )
    assert [item.outcome.value for item in ingest(shop, about()).items] == ["disabled"]


def test_the_log_names_nobody(archive: Path) -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)

    [path] = (archive / "erasures").iterdir()
    assert PERSON not in path.read_text()
    assert json.loads(path.read_text())["tenant"] == "acme"


def test_nothing_is_logged_before_it_is_confirmed(archive: Path) -> None:
    prepare()
    enter(make_shop("acme").tenant)

    assert not (archive / "erasures").exists()


def test_a_log_that_cannot_be_read_is_an_error(archive: Path) -> None:
    prepare()
    shop = make_shop("acme")
    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)
    [path] = (archive / "erasures").iterdir()
    path.write_text("{")

    with pytest.raises(CommandError, match="the log of erasures cannot be read"):
        call_command("reapply_erasures")


def test_without_a_log_there_is_nothing_to_do() -> None:
    assert reapply_erasures(now=timezone.now()) == (0, 0)


def test_an_outsider_verifies_the_receipt_and_not_an_altered_one() -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about(), about())
    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)
    with tenant_context(ALL):
        exported = export_receipts(shop.tenant)
    altered = exported.replace(b'"store": 2', b'"store": 1')
    assert altered != exported

    assert verify_receipts(read_receipts(exported)) == []
    assert [problem.sequence for problem in verify_receipts(read_receipts(altered))] != []
