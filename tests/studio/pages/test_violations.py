"""The pages of violations: found, narrowed down, decided about."""

from typing import Any

import pytest

from telemetry.models import ViolationRecord, ViolationState
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import Visitor, actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.test_violations import GOOD, STEP, with_version

pytestmark = pytest.mark.django_db

LIST = "/studio/violations/"


def send(installation: Installation, *properties: dict[str, Any], app_version: str | None = None) -> None:
    ingest(installation, *(with_version(make_incoming(properties=each), app_version) for each in properties))


def one(**wanted: Any) -> ViolationRecord:
    with tenant_context(ALL):
        return ViolationRecord.objects.get(**wanted)


def page(violation: ViolationRecord) -> str:
    return f"{LIST}{violation.pk}/"


@pytest.fixture
def installation() -> Installation:
    make_published()
    found = make_installation()
    send(found, {**GOOD, "colour": "red"}, {**GOOD, "colour": "blue"}, app_version="2.4.0")
    send(found, {"step": "build"}, app_version="2.5.0")
    return found


def test_what_waits_is_listed_with_where_and_how_often(installation: Installation) -> None:
    text = text_of(visitor(Role.VIEWER).get(LIST))

    assert "2 violations" in text
    assert f"{STEP} undeclared colour" in text
    assert f"{STEP} missing workflow" in text
    assert installation.tenant.name in text
    assert "2 in the last 14 days" in text


def test_a_link_leads_to_the_held_events_of_the_same_installation(installation: Installation) -> None:
    viewer = visitor(Role.VIEWER)
    here = f"?installation={installation.public_id}"

    assert 'href="/studio/quarantine/"' in viewer.get(LIST).content.decode()
    assert f'href="/studio/quarantine/{here}"' in viewer.get(f"{LIST}{here}").content.decode()


def test_an_empty_list_says_what_the_page_is_for() -> None:
    assert "Everything is as planned" in text_of(visitor(Role.VIEWER).get(LIST))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "COLOUR"}, ["colour"]),
        ({"q": "workflow_step"}, ["workflow", "colour"]),
        ({"code": "missing_required"}, ["workflow"]),
        ({"code": "made_up"}, ["workflow", "colour"]),
        ({"version": "2.4.0"}, ["colour"]),
        ({"event": "other"}, []),
        ({"state": "resolved"}, []),
        ({"state": "all", "seen": "1"}, ["workflow", "colour"]),
        ({"seen": "nonsense", "page": "9"}, ["workflow", "colour"]),
        ({"q": "a\x00b"}, []),
        ({"installation": "not an id"}, ["workflow", "colour"]),
        ({"installation": "00000000-0000-0000-0000-000000000000"}, []),
    ],
)
def test_the_address_narrows_the_list_down(installation: Installation, query: dict[str, str], found: list[str]) -> None:
    rows = visitor(Role.VIEWER).get(LIST, **query).context["rows"]

    assert [shown.place for shown in rows] == found


def test_the_order_is_chosen(installation: Installation) -> None:
    rows = visitor(Role.VIEWER).get(LIST, order="count").context["rows"]

    assert [shown.row.count for shown in rows] == [2, 1]


def test_a_list_of_any_length_takes_the_same_queries(installation: Installation) -> None:
    asked = visitor(Role.VIEWER)
    few = asked.cost_of(LIST)

    send(installation, *({**GOOD, f"extra{number}": 1} for number in range(30)))

    assert asked.cost_of(LIST) == few


def test_another_tenants_violations_are_neither_listed_nor_found(installation: Installation) -> None:
    stranger = visitor(Role.ADMIN, make_installation("globex").tenant)
    violation = one(code="missing_required")

    assert "Everything is as planned" in text_of(stranger.get(LIST))
    assert stranger.get(page(violation)).status_code == 404
    assert stranger.post(page(violation), state="muted").status_code == 404


def test_the_file_has_what_the_list_has(installation: Installation) -> None:
    body = visitor(Role.VIEWER).get(f"{LIST}csv/", code="undeclared_property").content.decode()

    head, row = body.strip().split("\r\n")
    assert head.startswith("tenant,app,environment,event,path,code,appVersion,count")
    assert row.startswith(
        f"acme,{installation.app.slug},production,{STEP},properties.colour,undeclared_property,2.4.0,2"
    )


def test_one_violation_shows_an_outline_and_what_to_do(installation: Installation) -> None:
    violation = one(code="undeclared_property")

    response = visitor(Role.ANALYST).get(page(violation))

    text = text_of(response)
    assert "nobody has judged whether it is personal" in text
    assert "colour string 3 characters undeclared" in text
    (step,) = response.context["steps"]
    assert step.title == "Declare it in the draft"
    assert "declare=colour&type=string" in step.address


def test_the_editor_opens_with_the_property_to_declare(installation: Installation) -> None:
    asked = visitor(Role.ANALYST)
    (step,) = asked.get(page(one(code="undeclared_property"))).context["steps"]
    address = step.address.partition("#")[0]

    response = asked.fill_in(address)

    assert response.status_code == 302
    text = text_of(asked.get(address.partition("?")[0]))
    assert "colour" in asked.get(address.partition("?")[0]).content.decode(), text[:200]
    # Declared now, so it is not offered again.
    again = asked.get(address).context["inline_admin_formsets"][0].formset
    assert again.extra_forms == []


def test_an_unknown_event_leads_to_a_new_one(installation: Installation) -> None:
    ingest(installation, make_incoming(name="checkout_done"))

    (step,) = visitor(Role.ANALYST).get(page(one(code="unknown_event"))).context["steps"]

    assert (step.title, step.address) == ("Plan this event", "/studio/events/add/?name=checkout_done")
    form = visitor(Role.ANALYST).get(step.address).context["adminform"].form
    assert form["name"].value() == "checkout_done"


def test_who_may_not_edit_specs_gets_no_way_to(installation: Installation) -> None:
    response = visitor(Role.VIEWER).get(page(one(code="undeclared_property")))

    assert response.context["steps"] == []
    assert "Decide" not in text_of(response)


def decide(asked: Visitor, violation: ViolationRecord, **entries: Any) -> Any:
    return asked.fill_in(page(violation), **entries)


def test_a_decision_holds_and_leaves_a_trace(installation: Installation) -> None:
    violation = one(code="undeclared_property")

    response = decide(visitor(Role.ANALYST), violation, state="resolved", resolved_in="2.5.0", note="Fixed in app")

    assert (response.status_code, response["Location"]) == (302, page(violation))
    decided = one(code="undeclared_property")
    assert (decided.state, decided.resolved_in, decided.note) == (ViolationState.RESOLVED, "2.5.0", "Fixed in app")
    assert decided.stays_resolved
    assert actions()[-1] == "violation.decided"


def test_a_decision_is_for_one_version_if_somebody_says_so(installation: Installation) -> None:
    send(installation, {**GOOD, "colour": "red"}, app_version="2.5.0")
    violation = one(app_version="2.5.0", code="undeclared_property")

    visitor(Role.ANALYST).post(page(violation), state="muted", resolved_in="", note="")

    assert one(app_version="2.5.0", code="undeclared_property").state == ViolationState.MUTED
    assert one(app_version="2.4.0", code="undeclared_property").state == ViolationState.OPEN


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"state": "resolved", "resolved_in": "two words"}, "resolved_in"),
        ({"state": "muted", "resolved_in": "2.5"}, "resolved_in"),
        ({"state": "made_up"}, "state"),
        ({"state": "muted", "note": "x" * 1001}, "note"),
    ],
)
def test_a_decision_that_cannot_be_is_refused_at_its_field(
    installation: Installation, entries: dict[str, str], field: str
) -> None:
    violation = one(code="undeclared_property")
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.post(page(violation), entries))

    assert list(errors) == [field]


@pytest.mark.parametrize("role", roles_without("violation.decide"))
def test_who_may_not_decide_changes_nothing(installation: Installation, role: Role) -> None:
    asked = visitor(role, installation.tenant)

    assert_denied("violation.decide", lambda: asked.post(page(one(code="missing_required")), state="muted"))
