"""The overview: what is there, what waits, what went live, what one can start with."""

from datetime import timedelta

import pytest
from django.utils import timezone

from telemetry.core.config import AppBlueprint, EventOverride, TenantOverride
from telemetry.services.overrides import schedule_override
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import Visitor, text_of, visitor
from tests.telemetry.factories import ingest, make_draft, make_incoming, make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, judge, rule, send, start, watching
from tests.tenants.factories import make_app, make_draft_config, make_key, make_tenant
from tests.tenants.factories import make_installation as install

pytestmark = pytest.mark.django_db

HOME = "/studio/"
STEP = "sigil.telemetry.workflow_step"


def tasks(asked: Visitor) -> list[tuple[str, str]]:
    return [(task.text, task.action) for task in asked.get(HOME).context["tasks"]]


def test_the_front_door_leads_to_the_overview() -> None:
    response = visitor(Role.VIEWER).get("/")

    assert (response.status_code, response["Location"]) == (302, HOME)


def test_an_empty_workspace_says_that_nothing_waits() -> None:
    text = text_of(visitor(Role.VIEWER).get(HOME))

    assert "0 specs" in text
    assert "Nothing waits" in text
    assert "Nothing in the last 90 days" in text


def test_it_counts_what_is_there() -> None:
    make_published()
    make_key(make_installation("acme"))

    figures = visitor(Role.VIEWER).get(HOME).context["figures"]

    assert [(figure.number, figure.name, figure.note) for figure in figures] == [
        (1, "spec", "1 published"),
        (1, "event", "in the drafts of all specs"),
        (1, "tenant", "1 app to install"),
        (1, "installation", "1 key in use"),
    ]


def test_everything_that_waits_is_named_with_what_to_do() -> None:
    make_published()
    make_draft(make_spec(make_event(), name="waiting"))
    lost = TenantOverride(events={"lost": EventOverride(enabled=False)})
    installation = make_installation("acme", override=lost)
    make_draft_config(installation)
    make_key(installation, name="Mobile", expires_at=timezone.now() + timedelta(days=3))
    install(installation.tenant, make_app("helpdesk", blueprint=AppBlueprint()))

    found = tasks(visitor(Role.VIEWER))

    assert [(text.split(" at ")[-1], action) for text, action in found] == [
        ("Acme", "Bind"),
        ("Acme", "Explain"),
        ("Acme (production)", "Rotate"),
        ("waiting", "Review"),
        ("Acme (production)", "Open"),
    ]


def test_what_is_planned_waits_for_nobody() -> None:
    make_published()
    installation = make_installation("acme")
    draft = make_draft_config(installation, TenantOverride(events={STEP: EventOverride(sampling_rate=0.5)}))
    with tenant_context(ALL):
        schedule_override(
            actor=SYSTEM,
            config=draft,
            change_summary="Later",
            expected_checksum=draft.checksum,
            expected_published_number=None,
            starts_at=timezone.now() + timedelta(days=1),
        )

    assert tasks(visitor(Role.VIEWER)) == []


def test_a_day_of_events_is_drawn_and_told_by_installation() -> None:
    make_published()
    busy, calm = make_installation("acme"), make_installation("globex")
    ingest(busy, *(make_incoming() for _ in range(3)))
    ingest(calm, make_incoming())

    response = visitor(Role.VIEWER).get(HOME)

    busiest = response.context["busiest"]
    assert [(each.tenant, each.counts.received, each.counts.stored) for each in busiest] == [
        ("Acme", 3, 3),
        ("Globex", 1, 1),
    ]
    assert "Last 24 hours" in text_of(response)
    assert "4 stored" in response.context["chart"]


def test_without_events_there_is_no_chart() -> None:
    assert "Last 24 hours" not in text_of(visitor(Role.VIEWER).get(HOME))


def test_open_incidents_wait_for_who_may_handle_them() -> None:
    make_published(watching(rule(max=2.0)))
    installation = make_installation()
    start(installation)
    send(installation, NOON, [1.0] * 3)
    judge(NOON + WIDTH + LAG)

    assert tasks(visitor(Role.ANALYST))[0] == ("1 open incident", "Look")
    assert tasks(visitor(Role.VIEWER)) == []


def test_other_tenants_affairs_are_not_shown() -> None:
    make_published()
    theirs = make_installation("globex", override=TenantOverride(enabled=False))
    make_draft_config(theirs)
    make_key(theirs, expires_at=timezone.now() + timedelta(days=3))
    install(theirs.tenant, make_app("helpdesk", blueprint=AppBlueprint()))
    asked = visitor(Role.ANALYST, make_tenant("acme"))

    text = text_of(asked.get(HOME))

    assert "Globex" not in text
    assert "0 installations 0 keys in use" in text
    assert tasks(asked) == []


def test_what_went_live_is_listed_newest_first() -> None:
    make_published()
    make_installation("acme", override=TenantOverride(enabled=False))

    publications = visitor(Role.VIEWER).get(HOME).context["publications"]

    assert [publication.title.split(" of ")[0] for publication in publications] == ["Override 1", "sigil.telemetry@1"]
    assert publications[0].summary == "Published by a test"


@pytest.mark.parametrize(
    ("role", "in_tenant", "words"),
    [
        (Role.VIEWER, False, []),
        (Role.ANALYST, False, ["New spec", "Import a spec", "Toggles of an installation"]),
        (Role.ANALYST, True, ["Toggles of an installation"]),
        (Role.ADMIN, True, ["Toggles of an installation", "Issue a key"]),
        (Role.ADMIN, False, ["New spec", "Import a spec", "New app", "Toggles of an installation", "Issue a key"]),
    ],
)
def test_only_what_one_may_do_is_offered(role: Role, in_tenant: bool, words: list[str]) -> None:
    asked = visitor(role, make_tenant() if in_tenant else None)

    links = asked.get(HOME).context["links"]

    assert [link[1] for link in links] == words
    assert {asked.get(link[2]).status_code for link in links} <= {200}


def test_a_full_workspace_takes_as_many_queries_as_an_empty_one() -> None:
    asked = visitor(Role.ADMIN)
    empty = asked.cost_of(HOME)
    make_published()
    for number in range(8):
        installation = make_installation(f"tenant{number}", override=TenantOverride(enabled=False))
        make_draft_config(installation)
        make_key(installation, expires_at=timezone.now() + timedelta(days=3))
        make_draft(make_spec(make_event(), name=f"spec{number}"))

    assert asked.cost_of(HOME) == empty
