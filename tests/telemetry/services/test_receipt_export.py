"""What an outsider finds out about exported receipts, and that nothing goes unnoticed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from telemetry.cli.app import run
from telemetry.core.errors import InvalidDocument
from telemetry.formats.receipts import Head, head_of, read_receipts, verify_receipts
from telemetry.models import ReceiptKind
from telemetry.services.receipts import export_receipts, record_receipt
from tenants.actors import SYSTEM
from tenants.models import Tenant
from tests.tenants.factories import make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workspace")]

Document = dict[str, Any]


@pytest.fixture
def tenant() -> Tenant:
    made = make_tenant("acme")
    for rows in (10, 20, 30, 40):
        facts = {"rows": rows, "event": "bestellt ü", "list": [1, None, True, {"b": 1, "a": 2}]}
        record_receipt(tenant=made, kind=ReceiptKind.PURGE, facts=facts, actor=SYSTEM)
    return made


def problems(document: Document, **more: Any) -> list[tuple[int, str]]:
    found = verify_receipts(read_receipts(json.dumps(document).encode()), **more)
    return [(each.sequence, each.message) for each in found]


def exported(tenant: Tenant) -> Document:
    document: Document = json.loads(export_receipts(tenant))
    return document


def test_what_was_exported_verifies(tenant: Tenant) -> None:
    document = read_receipts(export_receipts(tenant))

    assert [each.sequence for each in document.receipts] == [1, 2, 3, 4]
    assert verify_receipts(document, head=head_of(document), trusted_keys=[document.receipts[0].public_key]) == []


def test_a_tenant_without_receipts_has_an_export_that_verifies() -> None:
    document = read_receipts(export_receipts(make_tenant("umbra")))

    assert (document.receipts, verify_receipts(document)) == ((), [])


def edit(document: Document) -> None:
    document["receipts"][1]["facts"]["rows"] = 21


def edit_kind(document: Document) -> None:
    document["receipts"][1]["kind"] = "erasure"


def rename(document: Document) -> None:
    document["tenant"] = "umbra"


def delete(document: Document) -> None:
    del document["receipts"][1]


def insert(document: Document) -> None:
    document["receipts"].insert(2, document["receipts"][1])


def reorder(document: Document) -> None:
    document["receipts"][1], document["receipts"][2] = document["receipts"][2], document["receipts"][1]


def cut(document: Document) -> None:
    document["receipts"].pop()


def cut_front(document: Document) -> None:
    document["receipts"].pop(0)


def swap_signatures(document: Document) -> None:
    first, second = document["receipts"][:2]
    first["signature"], second["signature"] = second["signature"], first["signature"]


@pytest.mark.parametrize("change", [edit, edit_kind, rename, delete, insert, reorder, cut, cut_front, swap_signatures])
def test_no_change_goes_unnoticed(tenant: Tenant, change: Callable[[Document], None]) -> None:
    document = exported(tenant)

    change(document)

    assert problems(document) != []


def test_a_cut_end_shows_against_a_head_that_was_noted(tenant: Tenant) -> None:
    document = exported(tenant)
    head = Head(**document["head"])
    document["receipts"].pop()
    last = document["receipts"][-1]
    document["head"] = {"sequence": last["sequence"], "digest": last["digest"]}

    assert problems(document) == []
    assert problems(document, head=head) == [(0, "ends at number 3, and there were 4: the last are missing")]


def test_an_older_head_still_fits_a_longer_chain(tenant: Tenant) -> None:
    document = exported(tenant)
    second = document["receipts"][1]

    assert problems(document, head=Head(sequence=2, digest=second["digest"])) == []
    assert problems(document, head=Head(sequence=2, digest="0" * 64)) != []


def test_a_chain_under_a_key_of_somebody_else_is_not_taken(tenant: Tenant) -> None:
    document = exported(tenant)

    assert {sequence for sequence, _ in problems(document, trusted_keys=["A" * 43 + "="])} == {1, 2, 3, 4}


def test_what_is_no_file_of_receipts_is_refused_by_name() -> None:
    with pytest.raises(InvalidDocument) as refused:
        read_receipts(b'{"tenant": "acme", "receipts": [{"sequence": -1}]}')

    assert "receipts[0].sequence" in [error.path for error in refused.value.errors]


def test_the_command_needs_nothing_but_the_file(
    tenant: Tenant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "receipts.json"
    file.write_bytes(export_receipts(tenant))
    head = exported(tenant)["head"]

    assert run(["verify-receipts", str(file), "--head", f"{head['sequence']}:{head['digest']}"]) == 0
    assert "4 receipts of acme: whole and unchanged" in capsys.readouterr().out

    document = exported(tenant)
    edit(document)
    file.write_text(json.dumps(document))
    assert run(["verify-receipts", str(file)]) == 1
    assert capsys.readouterr().out.startswith("receipt 2: its content is not what was hashed")

    file.write_text("[]")
    assert run(["verify-receipts", str(file)]) == 2
    assert run(["verify-receipts", str(tmp_path / "missing.json")]) == 2
    assert run(["verify-receipts", str(file), "--head", "four"]) == 2
