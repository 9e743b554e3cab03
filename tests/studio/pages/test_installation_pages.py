"""An installation's other pages: summary, effective config, explain, history."""

import json

import pytest

from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, TenantOverride
from telemetry.core.enums import Layer, PrivacyLevel
from telemetry.services.configs import effective_config
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_draft_config, make_key, make_published_config, make_tenant

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
PAGES = ["change", "config", "explain", "history"]


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


def test_explain_has_a_row_for_every_value(installation: Installation) -> None:
    leaves = visitor(Role.VIEWER).get(page(installation, "explain")).context["leaves"]

    with tenant_context(ALL):
        provenance = effective_config(installation).provenance
    assert {leaf.path for leaf in leaves} == set(provenance)
    assert len(leaves) == len(provenance)


def test_explain_says_value_layer_and_place(installation: Installation) -> None:
    with tenant_context(ALL):
        floor = PrivacyFloor(maximum_retention_days={PrivacyLevel.INTERNAL: 7})
        save_floor(actor=SYSTEM, app=None, floor=floor, expected_revision=0)

    leaves = {leaf.path: leaf for leaf in visitor(Role.VIEWER).get(page(installation, "explain")).context["leaves"]}

    enabled = leaves[f"events[{STEP}@1].enabled"]
    assert (enabled.value, enabled.layer, enabled.source) == ("false", Layer.TENANT, f'events["{STEP}"].enabled')
    days = leaves[f"events[{STEP}@1].retention.days"]
    assert (days.value, days.layer, days.limited) == ("7", Layer.FLOOR, (Layer.SPEC,))
    assert leaves[f"events[{STEP}@1].properties.step.redaction"].value == "none"
    assert leaves["undeclaredProperties"].value == '"drop"'


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
    for installation, count in ((few, 1), (many, 4)):
        for _ in range(count):
            make_published_config(installation)
            make_key(installation)
    asked = visitor(Role.VIEWER)
    asked.get(page(few, name))
    asked.get(page(many, name))

    assert asked.cost_of(page(many, name)) == asked.cost_of(page(few, name))
