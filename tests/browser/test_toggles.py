"""From a toggle in the browser to the config that an app fetches."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

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
