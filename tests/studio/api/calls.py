"""Calling the API the way programs and browsers do."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import AbstractUser, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tenants.actors import actor_of_user
from tenants.context import ALL, tenant_context
from tenants.models import Tenant
from tenants.roles import Role
from tenants.services.keys import issue_personal_key
from tests.tenants.factories import make_membership, make_user

__all__ = ["Caller", "caller_with_key", "caller_with_role", "code_of", "cost_of", "queries_of", "signed_in"]


class Caller:
    """Somebody who calls the API: each call carries the same credentials."""

    def __init__(self, *, key: str = "", client: Client | None = None) -> None:
        self.client = client or Client()
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}

    def get(self, path: str, query: Mapping[str, Any] | None = None, **headers: str) -> Any:
        """GET; a header's underscores stand for dashes."""
        return self.client.get(path, data=query, headers=self._headers(headers))

    def head(self, path: str, **headers: str) -> Any:
        """HEAD."""
        return self.client.head(path, headers=self._headers(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """POST with a JSON body."""
        return self.send("POST", path, json.dumps(body).encode(), **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        """PUT with a JSON body."""
        return self.send("PUT", path, json.dumps(body).encode(), **headers)

    def send(
        self, method: str, path: str, content: bytes = b"", content_type: str = "application/json", **headers: str
    ) -> Any:
        """Any method with any bytes."""
        return self.client.generic(method, path, content, content_type=content_type, headers=self._headers(headers))

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        return self.headers | {name.replace("_", "-"): value for name, value in given.items()}


def caller_with_key(user: AbstractUser) -> Caller:
    """The person, with a personal key."""
    with tenant_context(ALL, user_id=user.pk):
        issued = issue_personal_key(actor=actor_of_user(user), user=user, name="Laptop")
    return Caller(key=issued.text)


def caller_with_role(role: Role | None, tenant: Tenant | None = None) -> Caller:
    """A new person with this role in the tenant, or in the whole workspace for ``None``, and a personal key."""
    user = make_user()
    if role is not None:
        make_membership(user, role, tenant)
    return caller_with_key(user)


def signed_in(user: User, *, enforce_csrf_checks: bool = False) -> Caller:
    """The person in a browser."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(user)
    return Caller(client=client)


def code_of(answer: Any) -> str:
    """The code in an error's body."""
    body = json.loads(answer.content)
    assert set(body) == {"detail", "code", "errors"}
    return str(body["code"])


def queries_of(call: Callable[[], Any]) -> list[str]:
    """The statements of a request, without those that open and end its transaction."""
    with CaptureQueriesContext(connection) as captured:
        call()
    found = [query["sql"] for query in captured.captured_queries]
    return [sql for sql in found if not re.match(r"(RELEASE |ROLLBACK TO )?SAVEPOINT|BEGIN|COMMIT|ROLLBACK", sql)]


def cost_of(caller: Caller, path: str) -> int:
    """How many statements reading the address takes beyond knowing who asks."""
    # Once an hour a key notes that it was used: here, before anything is counted.
    caller.get("/api/v1/schema")
    return len(queries_of(lambda: caller.get(path))) - len(queries_of(lambda: caller.get("/api/v1/schema")))
