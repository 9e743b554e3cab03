"""From a toggle in the browser to the config that an app fetches."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from tenants.models import Installation
from tenants.roles import Role
from tests.browser.conftest import PersonMaker
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True)


def toggles_of(installation: Installation) -> str:
    return f"/studio/installations/{installation.public_id}/toggles/"


def config(address: str, key: str) -> Any:
    """What an app with this key gets."""
    request = Request(f"{address}/api/v1/config", headers={"Authorization": f"Bearer {key}"})  # noqa: S310 - our own server
    with urlopen(request) as response:  # noqa: S310 - our own server
        return json.load(response)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_an_event_that_is_turned_off_is_off_in_the_next_config(person: PersonMaker, scripts: bool) -> None:
    make_published()
    installation = make_installation("acme")
    key = make_key(installation).text
    publisher = person(Role.PUBLISHER, installation.tenant, java_script_enabled=scripts)
    assert config(publisher.address, key)["events"][0]["enabled"] is True

    publisher.open(toggles_of(installation))
    publisher.page.get_by_label("Collect sigil.telemetry.workflow_step version 1").select_option("off")
    publisher.page.get_by_label("What changed, and why?").fill("Too chatty")
    publisher.page.get_by_role("button", name="Save and publish").click()

    assert publisher.says("Version 1 is live.")
    assert config(publisher.address, key)["events"][0]["enabled"] is False
    assert publisher.complaints == []


def test_a_filter_narrows_the_grid_and_unsaved_changes_are_counted(person: PersonMaker) -> None:
    make_published(make_spec(make_event("login"), make_event("logout"), make_event("pay"), name="sigil.telemetry"))
    installation = make_installation("acme")
    analyst = person(Role.ANALYST, installation.tenant)
    analyst.open(f"{toggles_of(installation)}?q=log")

    assert analyst.says("2 of 3 events")
    analyst.page.get_by_label("Collect logout version 1").select_option("off")

    assert analyst.says("1 unsaved change")
    assert analyst.complaints == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_many_events_are_changed_at_once_explained_and_brought_back(person: PersonMaker, scripts: bool) -> None:
    shop = [make_event(name, tags=("funnel",)) for name in ("cart", "checkout", "paid")]
    make_published(make_spec(*shop, make_event("login"), name="sigil.telemetry"))
    installation = make_installation("acme", override=TenantOverride(events={"login": EventOverride(enabled=False)}))
    key = make_key(installation).text
    publisher = person(Role.PUBLISHER, installation.tenant, java_script_enabled=scripts)
    page = publisher.page

    def rates() -> dict[str, float]:
        return {event["name"]: event["sampling"]["rate"] for event in config(publisher.address, key)["events"]}

    # A filter, and one change for all that it lets through, in the draft only.
    publisher.open(toggles_of(installation))
    page.get_by_label("Tag").select_option("funnel")
    page.get_by_role("button", name="Filter").click()
    assert publisher.says("3 of 4 events")
    page.get_by_text("Change all 3 events of this filter at once").click()
    page.locator(".bulk").get_by_label("Share kept").fill("25")
    page.get_by_role("button", name="Change in the draft").click()
    assert publisher.says("You see the draft (version 2")
    assert set(rates().values()) == {1}

    # Published, and explained from the layer that set it.
    page.get_by_label("What changed, and why?").fill("The funnel is busy")
    page.get_by_role("button", name="Save and publish").click()
    assert publisher.says("Version 2 is live.")
    assert rates() == {"cart": 0.25, "checkout": 0.25, "paid": 0.25, "login": 1}
    page.get_by_role("link", name="Explain", exact=True).click()
    page.get_by_label("Event").fill("checkout")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="checkout", exact=True).click()
    leaf = page.locator("details.leaf", has_text="25 %").first
    leaf.locator("summary").click()
    assert "Without the tenant it would be 100 %." in leaf.inner_text()

    # Brought back as a version of its own, with where it comes from.
    page.get_by_role("link", name="History", exact=True).click()
    page.get_by_role("row", name="Version 1 superseded").get_by_role("link", name="Roll back").click()
    page.get_by_label("Why do you go back?").fill("Too little was left")
    page.get_by_role("button", name="Roll back").click()
    assert publisher.says("Version 3 is live")
    assert set(rates().values()) == {1}
    publisher.open(f"/studio/installations/{installation.public_id}/history/")
    assert "version 1" in page.get_by_role("row", name="Version 3 published").inner_text()
    assert publisher.complaints == []


def test_a_new_key_opens_the_config_with_the_line_that_is_shown(person: PersonMaker) -> None:
    make_published()
    installation = make_installation("acme")
    admin = person(Role.ADMIN, installation.tenant)

    admin.open(f"/studio/api-keys/add/?installation={installation.pk}")
    admin.page.get_by_label("Name").fill("Backend")
    admin.page.get_by_role("button", name="Issue key").click()

    text = admin.page.inner_text("#key-text")
    assert admin.page.inner_text("#key-curl") == (
        f'curl -i -H "Authorization: Bearer {text}" {admin.address}/api/v1/config'
    )
    assert config(admin.address, text)["tenant"] == "acme"
