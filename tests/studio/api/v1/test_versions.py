"""The frozen versions of a spec."""

import base64
import hashlib

import pytest

from telemetry.core.codec import encode_spec
from telemetry.models import SpecVersion
from tenants.roles import Role
from tests.core.builders import make_sigil_spec
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key, make_tenant

pytestmark = pytest.mark.django_db

VERSIONS = "/api/v1/specs/sigil.telemetry/versions"


def publish_again(summary: str) -> None:
    publisher = caller_with_role(Role.PUBLISHER)
    draft = publisher.get("/api/v1/specs/sigil.telemetry/draft")
    document = draft.json()
    document["meta"]["description"] = summary
    saved = publisher.put("/api/v1/specs/sigil.telemetry/draft", document, If_Match=draft["ETag"])
    revision = saved.json()["draftRevision"]
    publication = {"expectedRevision": revision, "changeSummary": summary}
    assert publisher.post("/api/v1/specs/sigil.telemetry/publish", publication).status_code == 200


@pytest.fixture
def viewer() -> Caller:
    return caller_with_role(Role.VIEWER)


# The list


def test_versions_come_newest_first_with_their_lineage(viewer: Caller) -> None:
    make_published()
    publish_again("Second")

    answer = viewer.get(VERSIONS)

    assert answer.status_code == 200
    assert answer.json()["total"] == 2
    second, first = answer.json()["items"]
    assert (second["version"], second["status"], second["basedOn"]) == (2, "published", 1)
    assert (first["version"], first["status"], first["basedOn"]) == (1, "superseded", None)
    assert second["changeSummary"] == "Second"
    assert second["publishedAt"].endswith("Z")
    assert "document" not in second


def test_versions_come_in_pages(viewer: Caller) -> None:
    make_published()
    publish_again("Second")

    answer = viewer.get(VERSIONS, {"page": 2, "pageSize": 1})

    assert [item["version"] for item in answer.json()["items"]] == [1]


def test_the_list_costs_three_queries_however_many_versions(viewer: Caller) -> None:
    make_published()
    for number in range(5):
        publish_again(f"Change {number}")

    assert cost_of(viewer, VERSIONS) == 3


def test_an_unknown_spec_has_no_versions(viewer: Caller) -> None:
    assert viewer.get(VERSIONS).status_code == 404


@pytest.mark.parametrize("query", ["status=published", "order=version", "page=0", "pageSize=1000"])
def test_the_list_refuses_what_it_does_not_know(viewer: Caller, query: str) -> None:
    make_published()

    assert viewer.get(f"{VERSIONS}?{query}").status_code == 400


# One


def test_a_version_is_the_document_byte_for_byte(viewer: Caller) -> None:
    make_published()

    answer = viewer.get(f"{VERSIONS}/1")

    frozen = SpecVersion.objects.get().document_bytes
    digest = hashlib.sha256(frozen)
    assert answer.content == frozen == encode_spec(make_sigil_spec())
    assert answer["Content-Type"] == "application/json"
    assert answer["ETag"] == f'"{digest.hexdigest()}"'
    assert answer["Repr-Digest"] == f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"


def test_a_version_never_changes_so_it_may_be_kept(viewer: Caller) -> None:
    make_published()
    whole = viewer.get(f"{VERSIONS}/1")
    publish_again("Second")

    again = viewer.get(f"{VERSIONS}/1", If_None_Match=whole["ETag"])

    assert whole["Cache-Control"] == "private, max-age=31536000, immutable"
    assert again.status_code == 304
    assert again.content == b""
    assert {name: again[name] for name in ("ETag", "Cache-Control", "Vary")} == {
        name: whole[name] for name in ("ETag", "Cache-Control", "Vary")
    }
    assert viewer.get(f"{VERSIONS}/1").content == whole.content


def test_a_version_costs_one_query(viewer: Caller) -> None:
    make_published()

    assert cost_of(viewer, f"{VERSIONS}/1") == 1


@pytest.mark.parametrize("version", ["2", "999999999"])
def test_a_version_that_does_not_exist_is_not_found(viewer: Caller, version: str) -> None:
    make_published()

    answer = viewer.get(f"{VERSIONS}/{version}")

    assert answer.status_code == 404
    assert code_of(answer) == "unknown_spec"


@pytest.mark.parametrize("version", ["0", "-1", "01", "1.0", "latest", "1%00", "9999999999", "1;--", "%D9%A1"])
def test_what_is_no_version_is_no_address(viewer: Caller, version: str) -> None:
    make_published()

    answer = viewer.get(f"{VERSIONS}/{version}")

    assert answer.status_code == 404
    assert code_of(answer) == "unknown_address"


# Who may


def test_everybody_with_a_role_reads_versions() -> None:
    make_published()
    local = caller_with_role(Role.VIEWER, make_tenant())

    assert local.get(VERSIONS).status_code == 200
    assert local.get(f"{VERSIONS}/1").status_code == 200


def test_nobody_else_does() -> None:
    make_published()
    app = Caller(key=make_key(make_installation()).text)

    for address in (VERSIONS, f"{VERSIONS}/1"):
        assert Caller().get(address).status_code == 401
        assert caller_with_role(None).get(address).status_code == 403
        assert app.get(address).status_code == 403
