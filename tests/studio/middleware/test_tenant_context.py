"""A person sees the rows of their tenants for the length of one request."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from studio.middleware import TenantContextMiddleware
from studio.people import actor_of
from telemetry.core.errors import Conflict, FieldError, InvalidDocument, NotAllowed, NotFound, Unavailable
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Tenant
from tenants.roles import Role
from tests.studio.visitors import visitor
from tests.tenants.factories import make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db


def seen_by(user: User | AnonymousUser, *, has_session: bool = True) -> list[str]:
    """The tenants that a view sees when this person asks."""
    seen: list[str] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.extend(Tenant.objects.values_list("slug", flat=True))
        return HttpResponse()

    request = RequestFactory().get("/studio/")
    request.user = user
    if has_session:
        request.COOKIES["sessionid"] = "some"
    TenantContextMiddleware(view)(request)
    return seen


def test_a_role_in_a_tenant_shows_that_tenant_alone() -> None:
    acme, _ = make_tenant("acme"), make_tenant("globex")
    user = make_user()
    make_membership(user, Role.ANALYST, acme)

    assert seen_by(user) == ["acme"]


def test_roles_in_two_tenants_show_both() -> None:
    user = make_user()
    for slug in ("acme", "globex"):
        make_membership(user, Role.VIEWER, make_tenant(slug))
    make_tenant("initech")

    assert seen_by(user) == ["acme", "globex"]


@pytest.mark.parametrize("is_superuser", [False, True])
def test_a_role_in_the_workspace_and_a_superuser_see_all(is_superuser: bool) -> None:
    make_tenant("acme")
    make_tenant("globex")
    user = make_user(is_superuser=is_superuser)
    if not is_superuser:
        make_membership(user, Role.VIEWER)

    assert seen_by(user) == ["acme", "globex"]


def test_nobody_and_people_without_a_role_see_nothing() -> None:
    make_tenant("acme")

    assert seen_by(AnonymousUser()) == []
    assert seen_by(make_user()) == []


def test_somebody_who_was_switched_off_sees_nothing() -> None:
    user = make_user(is_active=False)
    make_membership(user, Role.ADMIN)
    make_tenant("acme")

    assert seen_by(user) == []


def test_without_a_session_cookie_the_user_is_not_even_looked_at() -> None:
    make_tenant("acme")

    assert seen_by(make_user(is_superuser=True), has_session=False) == []


def test_the_context_ends_with_the_request() -> None:
    make_tenant("acme")
    seen_by(make_user(is_superuser=True))

    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting('studio.tenant_ids', true), '')")
        assert cursor.fetchone() == ("",)


def test_a_role_that_is_taken_away_ends_with_the_request() -> None:
    user = make_user()
    membership = make_membership(user, Role.VIEWER)
    make_tenant("acme")
    assert seen_by(user) == ["acme"]

    with tenant_context(ALL):
        membership.delete()

    assert seen_by(user) == []


def test_the_request_carries_the_person_as_an_actor() -> None:
    user, acme = make_user("ana"), make_tenant("acme")
    make_membership(user, Role.PUBLISHER, acme)
    request = RequestFactory().get("/studio/")
    request.user = user
    request.COOKIES["sessionid"] = "some"

    TenantContextMiddleware(lambda _: HttpResponse())(request)

    actor = actor_of(request)
    assert (actor.label, actor.user_id, dict(actor.grants)) == ("ana", user.pk, {acme.pk: Role.PUBLISHER})


# What a view lets through


def answer_to(error: Exception, path: str = "/studio/specs/") -> HttpResponse | None:
    """What the person gets when a view raises this."""
    request = RequestFactory().post(path)
    request.user = make_user("ana")
    request.COOKIES["sessionid"] = "some"
    middleware = TenantContextMiddleware(lambda _: HttpResponse())
    middleware(request)
    return middleware.process_exception(request, error)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("there is no such spec"), 404),
        (NotAllowed("your role does not include it", ability="spec.publish"), 403),
        (Conflict("somebody was faster"), 409),
        (Unavailable("the other side is silent"), 503),
        (InvalidDocument([FieldError("wrong_type", "meta.title", "must be text")]), 400),
    ],
)
def test_errors_of_ours_are_pages_that_say_what_they_say(error: Exception, status: int) -> None:
    response = answer_to(error)

    assert response is not None
    assert response.status_code == status
    assert str(error) in response.content.decode()


def test_bugs_are_left_to_django() -> None:
    assert answer_to(ValueError("a bug")) is None


def test_the_api_answers_its_own_errors() -> None:
    assert answer_to(NotFound("there is no such spec"), "/api/v1/specs/x") is None


def test_who_tried_what_they_may_not_is_written_down() -> None:
    answer_to(NotAllowed("your role does not include it", ability="spec.publish"))

    with tenant_context(ALL):
        entry = AuditEntry.objects.get()
    assert (entry.action, entry.target_id, entry.actor_label) == ("access.denied", "spec.publish", "ana")


# The pages for what Django itself refuses


def test_a_page_that_does_not_exist_says_so_without_saying_more() -> None:
    response = visitor(Role.VIEWER).get("/studio/nothing/")

    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()


def test_a_form_without_its_token_is_refused() -> None:
    asked = visitor(Role.ADMIN)
    asked.client.handler.enforce_csrf_checks = True
    make_tenant("acme")

    response = asked.post("/studio/tenants/add/", slug="new", name="New")

    assert response.status_code == 403
    with tenant_context(ALL):
        assert Tenant.objects.count() == 1


def test_nobody_gets_in_without_signing_in() -> None:
    response = Client().get("/studio/specs/")

    assert (response.status_code, response["Location"]) == (302, "/studio/login/?next=/studio/specs/")
