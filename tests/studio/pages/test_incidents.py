"""The pages of incidents: found, looked at, taken up by people."""

import msgspec
import pytest

from telemetry.models import Incident, IncidentEntry, IncidentStatus
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tests.studio.visitors import assert_denied, roles_without, text_of, visitor
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, judge, rule, send, start, watching

pytestmark = pytest.mark.django_db

LIST = "/studio/incidents/"
STEP = "sigil.telemetry.workflow_step"


@pytest.fixture
def installation() -> Installation:
    make_published(watching(rule(max=2.0)))
    found = make_installation()
    start(found)
    for index, count in enumerate([1, 3, 4]):
        send(found, NOON + index * WIDTH, [1.0] * count)
    judge(NOON + 3 * WIDTH + LAG)
    return found


def one() -> Incident:
    with tenant_context(ALL):
        return Incident.objects.select_related("assignee").get()


def kinds() -> list[str]:
    with tenant_context(ALL):
        return list(IncidentEntry.objects.order_by("id").values_list("kind", flat=True))


def address() -> str:
    return f"{LIST}{one().pk}/"


def test_what_is_not_resolved_is_listed_with_its_worst_window(installation: Installation) -> None:
    text = text_of(visitor(Role.VIEWER).get(LIST))

    assert "1 incident" in text
    assert STEP in text
    assert "the number of events is above 2" in text
    assert "3 is above the maximum of 2" in text
    assert installation.tenant.name in text


def test_an_empty_list_says_what_the_page_is_for() -> None:
    assert "Nothing is wrong" in text_of(visitor(Role.VIEWER).get(LIST))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "WORKFLOW"}, True),
        ({"q": "watched"}, True),
        ({"q": "nothing"}, False),
        ({"q": "a\0b"}, False),
        ({"state": "resolved"}, False),
        ({"state": "all"}, True),
        ({"event": STEP}, True),
        ({"event": "other"}, False),
        ({"since": "7"}, True),
        ({"installation": "no id"}, True),
    ],
)
def test_the_list_is_narrowed_down(installation: Installation, query: dict[str, str], found: bool) -> None:
    text = text_of(visitor(Role.VIEWER).get(LIST, **query))

    assert ("the number of events is above 2" in text) == found


def test_the_page_draws_the_metric_with_its_breaches(installation: Installation) -> None:
    answer = visitor(Role.VIEWER).get(address())

    html = answer.content.decode()
    assert html.count('class="metric__breach"') == 2
    assert 'class="metric__line"' in html
    assert 'class="metric__volume"' in html
    assert "Acknowledge" not in html


def test_the_page_says_which_values_came_more_often(installation: Installation) -> None:
    for at, step, version in ((NOON - 2 * WIDTH, "build", "2.4.0"), (NOON + WIDTH, "test", "2.5.0")):
        events = [
            make_incoming(occurred_at=at, properties={"workflow": "deploy", "step": step, "userId": f"person {number}"})
            for number in range(40)
        ]
        ingest(installation, *(msgspec.structs.replace(each, app_version=version) for each in events), received_at=at)

    text = text_of(visitor(Role.VIEWER).get(address()))

    assert "What changed in its properties" in text
    assert "app version 2.5.0 0 % 100 % more often" in text
    assert "person 3" not in text


def test_somebody_takes_it_up_talks_about_it_and_closes_it(installation: Installation) -> None:
    analyst = visitor(Role.ANALYST)

    analyst.post(address(), acknowledge="1")
    assert (one().status, one().assignee.username) == (IncidentStatus.ACKNOWLEDGED, analyst.username)  # type: ignore[union-attr]
    analyst.post(address(), comment="1", text="  A deploy.  ")
    analyst.post(address(), mute="1", hours="8")
    assert one().status == IncidentStatus.MUTED
    analyst.post(address(), unmute="1")
    analyst.post(address(), assign="1", assignee="")
    assert one().assignee is None
    answer = analyst.client.post(address(), {"resolve": "1"}, follow=True)

    assert one().status == IncidentStatus.RESOLVED
    assert kinds() == ["opened", "acknowledged", "commented", "muted", "unmuted", "assigned", "resolved"]
    text = text_of(answer)
    assert "The incident is resolved." in text
    assert "A deploy." in text
    with tenant_context(ALL):
        assert AuditEntry.objects.filter(action="incident.acknowledged", actor_label=analyst.username).count() == 1


def test_a_comment_without_words_is_refused_beside_its_field(installation: Installation) -> None:
    answer = visitor(Role.ANALYST).post(address(), comment="1", text="   ")

    assert "This field is required." in text_of(answer)
    assert kinds() == ["opened"]


def test_a_resolved_incident_takes_no_deeds_but_comments(installation: Installation) -> None:
    analyst = visitor(Role.ANALYST)
    analyst.post(address(), resolve="1")

    answer = analyst.client.post(address(), {"acknowledge": "1"}, follow=True)
    analyst.post(address(), comment="1", text="Fixed in 2.4.1")

    assert "This incident is resolved already. Nothing was changed." in text_of(answer)
    assert kinds() == ["opened", "resolved", "commented"]


@pytest.mark.parametrize("role", roles_without("incident.handle"))
def test_who_may_not_handle_incidents_changes_nothing(installation: Installation, role: Role) -> None:
    person, incident = visitor(role), address()

    assert_denied("incident.handle", lambda: person.post(incident, resolve="1"))


def test_another_tenants_people_do_not_see_it(installation: Installation) -> None:
    stranger = visitor(Role.ADMIN, make_installation("globex").tenant)

    assert "the number of events" not in text_of(stranger.get(LIST, state="all"))
    assert stranger.get(address()).status_code == 404


def test_the_list_costs_the_same_for_more_incidents(installation: Installation) -> None:
    viewer = visitor(Role.VIEWER)
    few = viewer.cost_of(LIST)
    with tenant_context(ALL):
        found = Incident.objects.get()
        for number in range(60):
            found.pk, found.rule = None, f"rule_{number}"
            found.save(force_insert=True)

    assert "61 incidents" in text_of(viewer.get(LIST))
    assert viewer.cost_of(LIST) == few
