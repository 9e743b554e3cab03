"""From a value that an app sends by mistake to an event in which it is hidden, in a browser."""

import json
from typing import Any
from urllib.request import Request, urlopen

import pytest

from telemetry.detection.inspector import Inspector
from telemetry.models import StoredEvent
from telemetry.sdk.identifiers import new_event_id
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.browser.conftest import PersonMaker
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.test_privacy_findings import STEP
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True)

MAIL = "alice@example.com"


@pytest.fixture(autouse=True)
def fresh_inspector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.privacy_findings._inspector", Inspector())


def send(address: str, key: str, step: str) -> Any:
    """The answer to a batch of one event, as an app sends it."""
    event = {
        "id": str(new_event_id()),
        "name": STEP,
        "occurredAt": "2026-11-22T12:00:00Z",
        "properties": {"workflow": "onboarding", "step": step},
    }
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"events": [event]}).encode()
    request = Request(f"{address}/api/v1/events/batch", body, headers)  # noqa: S310 - our own server
    with urlopen(request) as response:  # noqa: S310 - our own server
        return json.load(response)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_what_a_detector_found_is_hidden_once_an_officer_says_so(person: PersonMaker, scripts: bool) -> None:
    make_published()
    installation = make_installation("acme")
    key = make_key(installation).text
    admin = person(Role.ADMIN, java_script_enabled=scripts)
    assert send(admin.address, key, f"wrote to {MAIL}")["stored"] == 1

    # The inbox names the property, and nothing of the value.
    admin.open("/studio/privacy-inbox/")
    assert admin.says("100 %")
    assert MAIL not in admin.page.content()
    admin.page.get_by_role("link", name=f"{STEP} · step").click()
    assert admin.says("1 of 1 values that were looked at")
    assert MAIL not in admin.page.content()

    # Hidden in the draft, which leads to the editor, and then published.
    admin.page.get_by_role("button", name="Hide it in the draft").click()
    assert admin.says("The draft of sigil.telemetry hides step.")
    assert "/studio/events/" in admin.page.url
    admin.open("/studio/privacy-inbox/")
    assert admin.says("All decided")
    admin.open("/studio/specs/")
    admin.page.get_by_role("link", name="Sigil telemetry").first.click()
    admin.page.get_by_role("link", name="Publish").first.click()
    admin.page.get_by_label("What changed, and why?").fill("Steps may hold addresses")
    admin.page.get_by_role("button", name="Publish").last.click()

    assert send(admin.address, key, f"wrote to {MAIL}")["stored"] == 1
    with tenant_context(ALL):
        steps = StoredEvent.objects.order_by("received_at").values_list("properties__step", flat=True)
        assert list(steps) == [f"wrote to {MAIL}", "REDACTED"]
    assert admin.complaints == []
