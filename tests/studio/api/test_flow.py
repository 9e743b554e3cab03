"""The main job over a real connection: fetch, ask again, change a toggle, fetch the change."""

import gzip
import json
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django.live_server_helper import LiveServer

from tenants.actors import actor_of_user
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tenants.services.keys import issue_personal_key
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key, make_membership, make_user

STEP = "sigil.telemetry.workflow_step"


class Curl:
    """A client that knows nothing of Django."""

    def __init__(self, address: str, key: str) -> None:
        self.host = urlsplit(address).netloc
        self.key = key

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection(self.host, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None:
            sent["Content-Type"] = "application/json"
        sent["Authorization"] = f"Bearer {self.key}"
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_an_app_sees_a_change_in_its_next_request(live_server: LiveServer) -> None:
    make_published()
    installation = make_installation()
    app = Curl(live_server.url, make_key(installation).text)
    user = make_user()
    make_membership(user, Role.PUBLISHER, installation.tenant)
    with tenant_context(ALL, user_id=user.pk):
        person = Curl(live_server.url, issue_personal_key(actor=actor_of_user(user), user=user, name="Laptop").text)

    first, body = app("GET", "/api/v1/config")
    assert first.status == 200
    assert json.loads(body)["events"][0]["enabled"] is True

    packed, packed_body = app("GET", "/api/v1/config", Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed_body) == body

    again, nothing = app("GET", "/api/v1/config", If_None_Match=str(first.headers["ETag"]))
    assert (again.status, nothing) == (304, b"")
    assert [again.headers[name] for name in ("ETag", "Vary", "Cache-Control")] == [
        first.headers[name] for name in ("ETag", "Vary", "Cache-Control")
    ]

    config = f"/api/v1/installations/{installation.public_id}/config"
    saved, draft = person("PUT", config, {"events": {STEP: {"enabled": False}}})
    assert saved.status == 200
    publication = {
        "number": json.loads(draft)["number"],
        "expectedChecksum": json.loads(draft)["checksum"],
        "expectedPublishedNumber": None,
        "changeSummary": "Turn it off",
    }
    published, _ = person("POST", f"{config}/publish", publication)
    assert published.status == 200

    changed, body = app("GET", "/api/v1/config", If_None_Match=str(first.headers["ETag"]))
    assert changed.status == 200
    assert json.loads(body)["events"][0]["enabled"] is False
