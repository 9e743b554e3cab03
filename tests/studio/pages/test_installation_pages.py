"""An installation's other pages: summary, effective config, explain, history."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from studio.pages.explain import Leaf
from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, SpecPointer, TenantOverride
from telemetry.core.enums import Layer, PrivacyLevel
from telemetry.services.configs import effective_config
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import Visitor, text_of, visitor
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.clock import pass_time
from tests.tenants.factories import make_draft_config, make_key, make_published_config, make_tenant

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
PAGES = ["change", "config", "explain", "history", "compare"]


@pytest.fixture
def installation() -> Installation:
    """The seed's example at Acme, whose one event is off."""
    make_published()
    return make_installation("acme", override=TenantOverride(events={STEP: EventOverride(enabled=False)}))


def page(installation: Installation, name: str) -> str:
    return f"/studio/installations/{installation.public_id}/{name}/"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", list(Role))
def test_every_member_reads_every_page(installation: Installation, name: str, role: Role) -> None:
    assert visitor(role, installation.tenant).get(page(installation, name)).status_code == 200


@pytest.mark.parametrize("name", PAGES)
def test_others_do_not_know_that_it_exists(installation: Installation, name: str) -> None:
    assert visitor(Role.ADMIN, make_tenant()).get(page(installation, name)).status_code == 404
    assert visitor().get(page(installation, name)).status_code == 404


@pytest.mark.parametrize("identifier", ["1", "x", "00000000-0000-0000-0000-000000000000"])
def test_an_address_that_names_nothing_is_not_found(identifier: str) -> None:
    asked = visitor(Role.VIEWER)

    for name in PAGES:
        # Django's admin leads from an address that it does not know to the row's own page first.
        answer = asked.client.get(f"/studio/installations/{identifier}/{name}/", follow=True)
        assert answer.status_code == 404


@pytest.mark.parametrize("name", ["change", "config", "explain"])
def test_without_a_spec_each_page_says_what_is_missing(name: str) -> None:
    installation = make_installation("acme", blueprint=AppBlueprint())

    text = text_of(visitor(Role.VIEWER).get(page(installation, name)))

    assert "There is no effective config yet" in text
    assert "no spec is bound" in text


def test_a_link_leads_to_its_held_events(installation: Installation) -> None:
    content = visitor(Role.VIEWER, installation.tenant).get(page(installation, "change")).content.decode()

    assert f'href="/studio/quarantine/?installation={installation.public_id}"' in content


def test_the_summary_says_what_holds(installation: Installation) -> None:
    make_draft_config(installation)
    make_key(installation, name="Backend")

    text = text_of(visitor(Role.VIEWER).get(page(installation, "change")))

    assert "1 event in the spec sigil.telemetry@1" in text
    assert "1 of them off" in text
    assert "Version 1 is live" in text
    assert "Version 2 unpublished changes" in text
    assert f"{STEP}@1 off" in text
    assert "Backend" in text


def test_the_effective_config_is_the_document_that_apps_get(installation: Installation) -> None:
    shown = visitor(Role.VIEWER).get(page(installation, "config"))

    document = json.loads(shown.context["document"])
    assert document["events"][0]["enabled"] is False
    assert document["tenant"] == "acme"
    assert "provenance" not in document
    assert shown.context["etag"].startswith('W/"')


def test_the_pseudonym_key_is_never_shown(installation: Installation) -> None:
    for name in PAGES:
        assert "pseudonymKey" not in visitor(is_superuser=True).get(page(installation, name)).content.decode()


def leaves(asked: Visitor, installation: Installation, **query: str) -> dict[str, Leaf]:
    """The values that the page explains, by path."""
    context = asked.get(page(installation, "explain"), **query).context
    return {leaf.path: leaf for section in context["sections"] for leaf in section.leaves}


def test_every_value_is_explained_of_the_installation_and_of_each_event(installation: Installation) -> None:
    asked = visitor(Role.VIEWER)

    found = leaves(asked, installation) | leaves(asked, installation, event=f"{STEP}@1")

    with tenant_context(ALL):
        assert set(found) == set(effective_config(installation).provenance)


def test_a_value_is_told_with_its_story(installation: Installation) -> None:
    with tenant_context(ALL):
        floor = PrivacyFloor(maximum_retention_days={PrivacyLevel.INTERNAL: 7})
        save_floor(actor=SYSTEM, app=None, floor=floor, expected_revision=0)

    found = leaves(visitor(Role.VIEWER), installation, event=f"{STEP}@1")

    enabled, days = found[f"events[{STEP}@1].enabled"], found[f"events[{STEP}@1].retention.days"]
    assert (enabled.name, enabled.value, enabled.layer, enabled.without) == ("Collected", "off", Layer.TENANT, "on")
    assert (enabled.source.title, enabled.source.version, enabled.source.by) == ("Override", 1, "system")
    assert (days.value, days.layer, days.limited, days.without) == ("7 days", Layer.FLOOR, (Layer.SPEC,), "30 days")
    assert [(step.layer.value, step.asked, step.wins) for step in days.steps] == [
        ("product", "30 days", False),
        ("spec", "30 days", False),
        ("floor", "7 days", True),
    ]
    assert found[f"events[{STEP}@1].properties.step.redaction"].value == "shown as it is"


def test_the_past_is_told_as_it_was(installation: Installation) -> None:
    pass_time(timedelta(days=2))
    make_published_config(installation)
    asked = visitor(Role.VIEWER)
    yesterday = f"{timezone.now() - timedelta(days=1):%Y-%m-%dT%H:%M}"

    then = leaves(asked, installation, event=f"{STEP}@1", at=yesterday)[f"events[{STEP}@1].enabled"]
    now = leaves(asked, installation, event=f"{STEP}@1")[f"events[{STEP}@1].enabled"]

    assert (then.value, then.source.version) == ("off", 1)
    assert (now.value, now.layer) == ("on", Layer.PRODUCT)
    long_ago = asked.get(page(installation, "explain"), at="2001-01-01T00:00")
    assert "the installation was not there yet" in text_of(long_ago)


def test_events_are_found_by_words_and_an_event_that_is_not_there_is_said(installation: Installation) -> None:
    asked = visitor(Role.VIEWER)

    assert STEP in text_of(asked.get(page(installation, "explain"), q="WORKFLOW step"))
    assert "No event is like that" in text_of(asked.get(page(installation, "explain"), q="nothing like it"))
    assert "There is no such event here" in text_of(asked.get(page(installation, "explain"), event="gone@7"))
    assert asked.get(page(installation, "explain"), at="yesterday", page="x").status_code == 200


def test_explaining_one_event_of_many_takes_as_many_queries_as_of_few() -> None:
    make_published(make_spec(make_event("e.0"), name="few"))
    make_published(make_spec(*(make_event(f"e{i}") for i in range(300)), name="many"))
    few = make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="few")))
    many = make_installation("globex", blueprint=AppBlueprint(spec=SpecPointer(name="many")))
    asked = visitor(Role.ANALYST)

    cost_of_few = asked.cost_of(f"{page(few, 'explain')}?event=e.0%401")

    assert asked.cost_of(f"{page(many, 'explain')}?event=e7%401") == cost_of_few


def test_explain_names_references_that_lead_nowhere(installation: Installation) -> None:
    make_published_config(installation, TenantOverride(events={"lost": EventOverride(enabled=False)}))

    text = text_of(visitor(Role.VIEWER).get(page(installation, "explain")))

    assert "These places name an event or property that the spec does not have" in text
    assert "tenant.events.lost" in text


def test_the_history_lists_every_version_and_offers_the_way_back(installation: Installation) -> None:
    make_published_config(installation)
    publisher, viewer = visitor(Role.PUBLISHER), visitor(Role.VIEWER)

    text = text_of(publisher.get(page(installation, "history")))

    assert "Version 2 published" in text
    assert "Version 1 superseded" in text
    assert "Roll back" in text
    assert "Roll back" not in text_of(viewer.get(page(installation, "history")))


def test_an_empty_history_says_what_it_is_for() -> None:
    installation = make_installation("acme", blueprint=AppBlueprint())

    assert "Nothing has been changed here" in text_of(visitor(Role.VIEWER).get(page(installation, "history")))


@pytest.mark.parametrize("name", PAGES)
def test_many_events_and_versions_take_as_many_queries_as_few(name: str) -> None:
    make_published(make_spec(*(make_event(f"event{i}") for i in range(30)), name="sigil.telemetry"))
    few, many = make_installation("acme"), make_installation("globex")
    for installation, count in ((few, 2), (many, 5)):
        for _ in range(count):
            make_published_config(installation)
            make_key(installation)
    asked = visitor(Role.VIEWER)
    asked.get(page(few, name))
    asked.get(page(many, name))

    assert asked.cost_of(page(many, name)) == asked.cost_of(page(few, name))
