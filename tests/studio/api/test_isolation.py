"""Every address with every method, in the hands of strangers: another tenant's things do not exist for them."""

import random
from typing import Any

import pytest
from django.urls import get_resolver
from django.urls.resolvers import URLPattern

from studio.api.v1 import urls
from telemetry.core.codec import encode_spec
from telemetry.core.config import TenantOverride
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.core.builders import make_sigil_spec
from tests.studio.api.calls import Caller, caller_with_key, caller_with_role, code_of
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_draft_config, make_key, make_membership, make_published_config, make_user

pytestmark = pytest.mark.django_db

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# What each address that belongs to a tenant takes, with the methods that it has.
OF_TENANTS: dict[str, dict[str, Any]] = {
    "/api/v1/tenants/other": {"GET": None},
    "/api/v1/installations/{id}": {"GET": None},
    "/api/v1/installations/{id}/effective-config": {"GET": None},
    "/api/v1/installations/{id}/config": {"GET": None, "PUT": {}},
    "/api/v1/installations/{id}/config/versions": {"GET": None},
    "/api/v1/installations/{id}/config/publish": {
        "POST": {"number": 2, "expectedChecksum": "{checksum}", "expectedPublishedNumber": 1, "changeSummary": "Mine"}
    },
    "/api/v1/installations/{id}/config/rollback": {
        "POST": {"number": 1, "expectedPublishedNumber": 1, "changeSummary": "Mine"}
    },
    "/api/v1/installations/{id}/balance": {"GET": None},
    "/api/v1/installations/{id}/live": {"GET": None},
    "/api/v1/installations/{id}/inferred-spec?name=a": {"GET": None},
    "/api/v1/installations/{id}/backtest": {
        "POST": {"event": "sigil.telemetry.workflow_step", "eventVersion": 1, "anomalyDetection": {}}
    },
    "/api/v1/installations/{id}/config/versions/1": {"GET": None},
    "/api/v1/installations/{id}/config/versions/1/what-if": {"GET": None},
    "/api/v1/installations/{id}/config/diff?from=1&to=1": {"GET": None},
    "/api/v1/installations/{id}/config/preview": {"POST": {"number": 2, "expectedChecksum": "{checksum}"}},
    "/api/v1/installations/{id}/config/schedule": {
        "GET": None,
        "POST": {
            "number": 2,
            "expectedChecksum": "{checksum}",
            "expectedPublishedNumber": 1,
            "changeSummary": "Mine",
            "startsAt": "2100-01-01T00:00:00Z",
        },
    },
    "/api/v1/installations/{id}/config/schedule/1/end": {"POST": {}},
    "/api/v1/installations/{id}/config/bulk": {"POST": {"change": {"samplingRate": 0.5}}},
    "/api/v1/installations/{id}/config/undo": {"POST": {}},
    "/api/v1/installations/{id}/retention": {"GET": None},
    "/api/v1/installations/{id}/retention/preview": {"POST": {}},
    "/api/v1/installations/{id}/config/promote": {"POST": {}},
    "/api/v1/installations/{id}/rescrub": {"POST": {}},
}
CALLS = [(address, method) for address, methods in OF_TENANTS.items() for method in methods]


@pytest.fixture
def theirs() -> Installation:
    """An installation of another tenant, with a live override and a draft."""
    make_published()
    installation = make_installation("other")
    make_published_config(installation)
    make_draft_config(installation, TenantOverride(enabled=False))
    return installation


@pytest.fixture
def stranger(theirs: Installation) -> Caller:
    """An admin of the tenant acme."""
    return caller_with_role(Role.ADMIN, make_installation("acme").tenant)


def call(caller: Caller, installation: Installation, address: str, method: str) -> Any:
    path = address.format(id=installation.public_id)
    body = OF_TENANTS[address][method]
    return caller.get(path) if method == "GET" else getattr(caller, method.lower())(path, body, If_Match="*")


@pytest.mark.parametrize(("address", "method"), CALLS)
def test_what_is_anothers_is_not_found_and_stays_as_it_is(
    stranger: Caller, theirs: Installation, address: str, method: str
) -> None:
    before = everything_stored()

    answer = call(stranger, theirs, address, method)

    assert answer.status_code == 404
    assert code_of(answer) == "not_found"
    assert "other" not in answer.json()["detail"]
    assert everything_stored() == before


@pytest.mark.parametrize(("address", "method"), CALLS)
def test_the_key_of_anothers_app_does_not_open_it_either(theirs: Installation, address: str, method: str) -> None:
    mine = make_installation("acme")
    app = Caller(key=make_key(mine, Scope.CONFIG_READ, Scope.CONFIG_SECRET, Scope.INGEST).text)
    app.get("/api/v1/config")
    before = everything_stored()

    answer = call(app, theirs, address, method)

    assert answer.status_code == 404
    assert everything_stored() == before


@pytest.mark.parametrize(("address", "method"), CALLS)
def test_a_role_that_was_taken_away_is_gone_in_the_next_request(
    theirs: Installation, address: str, method: str
) -> None:
    user = make_user()
    membership = make_membership(user, Role.ADMIN, theirs.tenant)
    member = caller_with_key(user)
    assert call(member, theirs, "/api/v1/tenants/other", "GET").status_code == 200

    membership.delete()

    assert call(member, theirs, address, method).status_code == 404


def test_lists_neither_show_nor_count_what_is_anothers(stranger: Caller, theirs: Installation) -> None:
    tenants = stranger.get("/api/v1/tenants").json()
    installations = stranger.get("/api/v1/installations").json()

    assert ([item["slug"] for item in tenants["items"]], tenants["total"]) == (["acme"], 1)
    assert ([item["tenant"] for item in installations["items"]], installations["total"]) == (["acme"], 1)
    assert stranger.get("/api/v1/installations", {"tenant": "other"}).json()["total"] == 0
    assert stranger.get("/api/v1/tenants", {"search": "other"}).json()["total"] == 0


def test_the_tables_above_name_every_address_of_tenants() -> None:
    patterns = [str(pattern.pattern) for pattern in urls.urlpatterns]

    # What belongs to an installation is told apart by its own id in the tests of its own address.
    of_tenants = {
        pattern
        for pattern in patterns
        if "<uuid:installation_id>" in pattern or pattern.startswith("tenants/<tenant_slug:")
    }

    assert len(of_tenants) == len(OF_TENANTS)


def every_path() -> list[str]:
    """Each address of version 1 with something in its places."""
    values = {
        "<spec_name:name>": "sigil.telemetry",
        "<number:version>": "1",
        "<number:number>": "1",
        "<number:period_id>": "1",
        "<number:review_id>": "1",
        "<number:violation_id>": "1",
        "<number:finding_id>": "1",
        "<number:event_spec_id>": "1",
        "<number:exception_id>": "1",
        "<number:group_id>": "1",
        "<tenant_slug:slug>": "other",
        "<number:incident_id>": "1",
        "<number:proposal_id>": "1",
        "<uuid:installation_id>": "7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b11",
        "<big_number:delivery_id>": "1",
        "<big_number:run_id>": "1",
        "<big_number:hold_id>": "1",
        "<number:route_id>": "1",
        "<uuid:channel_id>": "7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b13",
        "<uuid:provider_id>": "7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b12",
        "<uuid:erasure_id>": "7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b13",
        "<uuid:rescrub_id>": "7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b15",
        "<uuid:export_id>": "7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b14",
    }
    paths = []
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern)
        path = str(pattern.pattern)
        for place, value in values.items():
            path = path.replace(place, value)
        assert "<" not in path
        paths.append(f"/api/v1/{path}")
    return paths


@pytest.mark.parametrize("path", every_path())
@pytest.mark.parametrize("method", METHODS)
def test_without_credentials_there_is_nothing_but_the_schema_of_specs(path: str, method: str) -> None:
    make_published()
    before = everything_stored()

    answer = Caller().send(method, path, encode_spec(make_sigil_spec()))

    if path == "/api/v1/schemas/telemetry-spec.json":
        assert answer.status_code == (200 if method in ("GET", "HEAD") else 405)
    else:
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"].startswith("Bearer ")
    assert everything_stored() == before


@pytest.mark.parametrize("path", every_path())
@pytest.mark.parametrize("method", METHODS)
def test_a_person_without_a_role_reads_and_changes_nothing(path: str, method: str) -> None:
    make_published()
    nobody = caller_with_role(None)
    nobody.get("/api/v1/schema")
    before = everything_stored()

    answer = nobody.send(method, path, encode_spec(make_sigil_spec()), If_Match="*")

    allowed = ("/api/v1/schema", "/api/v1/schemas/telemetry-spec.json")
    if path in allowed and method in ("GET", "HEAD"):
        assert answer.status_code == 200
    else:
        assert answer.status_code in (403, 404, 405)
    after = everything_stored()
    traces = [row for row in after["tenants.AuditEntry"] if row not in before["tenants.AuditEntry"]]
    assert {row["action"] for row in traces} <= {"access.denied"}
    assert {**after, "tenants.AuditEntry": []} == {**before, "tenants.AuditEntry": []}


@pytest.mark.parametrize("path", every_path())
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_no_address_passes_over_a_parameter_that_it_does_not_know(path: str, method: str) -> None:
    answer = caller_with_role(Role.ADMIN).send(method, f"{path}?unknown=1&tenant_id=1", b"{}")

    assert answer.status_code == 400
    assert {error["path"] for error in answer.json()["errors"]} == {"unknown", "tenant_id"}


def test_many_requests_of_many_callers_in_any_order_never_mix() -> None:
    make_published()
    scopes = [[Scope.CONFIG_READ], [Scope.CONFIG_READ, Scope.CONFIG_SECRET]]
    installations = [make_installation("acme"), make_installation("other")]
    callers = [Caller(key=make_key(place, *held).text) for place in installations for held in scopes]
    queries = ["", "?explain=1", "?explain=0"]
    encodings = ["identity", "gzip"]
    kinds = [(caller, query, encoding) for caller in callers for query in queries for encoding in encodings]

    def fetch(caller: Caller, query: str, encoding: str, tag: str) -> Any:
        return caller.get(f"/api/v1/config{query}", Accept_Encoding=encoding, If_None_Match=tag)

    expected = {kind: fetch(*kind, '"none"') for kind in kinds}
    tags = [answer["ETag"] for answer in expected.values()]
    assert len({expected[kind].content for kind in kinds if kind[2] == "identity"}) == 8
    order = random.Random(20261122)  # noqa: S311 - the same order in each run

    for _ in range(500):
        kind, tag = order.choice(kinds), order.choice(tags)
        answer = fetch(*kind, tag)
        if tag == expected[kind]["ETag"]:
            assert (answer.status_code, answer["ETag"]) == (304, tag)
        else:
            assert (answer.status_code, answer.content) == (200, expected[kind].content)


def test_every_address_under_api_is_one_of_ours() -> None:
    outside = [
        str(pattern.pattern)
        for pattern in get_resolver().url_patterns
        if "api" in str(pattern.pattern) and str(pattern.pattern) not in ("api/v1/", "^api/")
    ]

    assert outside == []
