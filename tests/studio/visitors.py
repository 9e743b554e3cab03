"""Visiting pages the way a browser without scripts does: load, fill in, send."""

from collections.abc import Callable, Iterator, Mapping
from html import unescape
from typing import Any

from django.db import connection
from django.forms import BaseForm, FileField, MultipleChoiceField
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import strip_tags

from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Tenant
from tenants.permissions import abilities_of
from tenants.roles import Role
from tests.telemetry.factories import everything_stored
from tests.tenants.factories import make_membership, make_user

__all__ = [
    "Visitor",
    "actions",
    "assert_denied",
    "assert_refused",
    "errors_in",
    "fields_of",
    "roles_without",
    "text_of",
    "visitor",
]

# Fields that Django's admin adds to forms of several rows.
MANAGEMENT = ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS", "MAX_NUM_FORMS")


class Visitor:
    """Somebody with a browser that has no scripts."""

    def __init__(self, client: Client, username: str) -> None:
        self.client = client
        self.username = username

    def get(self, address: str, **query: str | int) -> Any:
        """The page."""
        return self.client.get(address, query)

    def post(self, address: str, data: Mapping[str, Any] | None = None, **entries: Any) -> Any:
        """The answer to exactly these entries."""
        return self.client.post(address, {**(data or {}), **entries})

    def fill_in(self, address: str, entries: Mapping[str, Any] | None = None, **more: Any) -> Any:
        """The answer to the page's form, with these entries changed; names as in the form."""
        return self.post(address, {**fields_of(self.get(address)), **(entries or {}), **more})

    def cost_of(self, address: str) -> int:
        """How many queries the page takes."""
        with CaptureQueriesContext(connection) as queries:
            response = self.get(address)
        assert response.status_code == 200, response.status_code
        return len(queries)


def visitor(role: Role | None = None, tenant: Tenant | None = None, *, is_superuser: bool = False) -> Visitor:
    """Somebody new who is signed in, with this role in the tenant, or in the whole workspace for ``None``."""
    user = make_user(is_superuser=is_superuser)
    if role is not None:
        make_membership(user, role, tenant)
    client = Client()
    client.force_login(user)
    return Visitor(client, user.username)


def fields_of(response: Any) -> dict[str, Any]:
    """What a browser would send if the page's form were sent as it is."""
    assert response.status_code == 200, response.status_code
    context = response.context
    shown = context["adminform"].form if "adminform" in context else context["form"]
    fields = dict(_entries(shown))
    for inline in context.get("inline_admin_formsets") or []:
        formset = inline.formset
        fields.update({f"{formset.prefix}-{name}": formset.management_form[name].value() for name in MANAGEMENT})
        for row in formset.forms:
            fields.update(_entries(row))
    return fields


def _entries(form: BaseForm) -> Iterator[tuple[str, Any]]:
    for bound in form:
        value = bound.value()
        is_unchecked = value is False or (value is None and isinstance(bound.field, MultipleChoiceField))
        if bound.field.disabled or is_unchecked or isinstance(bound.field, FileField):
            continue
        yield bound.html_name, "on" if value is True else "" if value is None else value


def errors_in(response: Any) -> dict[str, list[str]]:
    """The messages beside the fields of the answered page, by the field's name; ``__all__`` for those above."""
    assert response.status_code == 200, response.status_code
    context = response.context
    shown = context["adminform"].form if "adminform" in context else context["form"]
    found = {name: list(messages) for name, messages in shown.errors.items()}
    for inline in context.get("inline_admin_formsets") or []:
        for row in inline.formset.forms:
            found.update({row.add_prefix(name): list(messages) for name, messages in row.errors.items()})
    return found


def text_of(response: Any) -> str:
    """What the page says, without marks and with single spaces."""
    return " ".join(unescape(strip_tags(response.content.decode())).split())


def actions() -> list[str]:
    """The actions in the audit trail, oldest first."""
    with tenant_context(ALL):
        return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def roles_without(ability: str) -> list[Role]:
    """The roles that do not bring this ability."""
    return [role for role in Role if ability not in abilities_of([role])]


def assert_denied(ability: str, send: Callable[[], Any]) -> None:
    """The answer is 403, nothing is stored that was not there before, and the attempt is in the audit trail."""
    before = everything_stored()

    response = send()

    assert response.status_code == 403
    after = everything_stored()
    entries = after["tenants.AuditEntry"][len(before["tenants.AuditEntry"]) :]
    assert [(entry["action"], entry["target_id"]) for entry in entries] == [("access.denied", ability)]
    assert {**after, "tenants.AuditEntry": None} == {**before, "tenants.AuditEntry": None}


def assert_refused(send: Callable[[], Any]) -> dict[str, list[str]]:
    """The form comes back with errors, nothing is stored; the errors by field."""
    before = everything_stored()

    errors = errors_in(send())

    assert everything_stored() == before
    assert errors
    return errors
