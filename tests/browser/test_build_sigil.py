"""The seed's example, built from nothing by clicking and typing, linted and published."""

from typing import TYPE_CHECKING

import pytest

from telemetry.mappers import spec_of_version
from telemetry.models import SpecRecord, SpecVersion
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.browser.conftest import PersonMaker
from tests.core.builders import make_sigil_spec

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)

EVENT = "sigil.telemetry.workflow_step"


def fill_in(page: "Page", entries: dict[str, str]) -> None:
    for name, text in entries.items():
        page.locator(f"[name={name}]").fill(text)


def make_the_spec(page: "Page") -> None:
    """From the list of specs to a draft with meta, defaults and provider."""
    page.get_by_role("link", name="Specs").first.click()
    page.locator("a[href$='/specs/add/']").first.click()
    fill_in(
        page,
        {
            "name": "sigil.telemetry",
            "title": "Sigil telemetry",
            "description": "Core Sigil product telemetry",
            "domain": "sigil",
            "owners": "@team.analytics",
            "tags": "telemetry",
        },
    )
    page.get_by_text("Defaults", exact=True).first.click()
    fill_in(
        page,
        {
            "default_retention_days": "30",
            "default_sampling_rate": "1",
            "providers": "- type: posthog\n  config:\n    projectApiKey: ${POSTHOG_KEY}",
        },
    )
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_url("**/specs/*/change/**")


def tell_the_meaning(page: "Page") -> None:
    page.get_by_label("Name", exact=True).first.fill(EVENT)
    page.get_by_label("What happened").fill("Workflow step executed")
    page.get_by_label("Who did it").fill("Actor executing the workflow")


def add_the_properties(page: "Page") -> None:
    """One is typed, three are pasted from a payload that the app sends."""
    page.get_by_role("tab", name="Properties").click()
    page.get_by_role("button", name="Add property").click()
    page.get_by_label("Name", exact=True).last.fill("workflow")
    page.get_by_text("Paste from a sample").click()
    page.get_by_label("JSON payload").fill('{"step": "verify_email", "durationMs": 2100, "userId": "user-123"}')
    page.get_by_role("button", name="Add what the sample shows").click()
    page.get_by_text("3 properties added from the sample.").wait_for()
    for index in (0, 1):
        page.locator(f"[name=properties-{index}-required]").check()


def add_the_anomaly_rules(page: "Page") -> None:
    page.get_by_role("tab", name="Anomaly rules").click()
    page.locator("[name=anomaly_enabled]").select_option("on")
    page.get_by_label("Minimum sample").fill("10")
    page.get_by_label("alert", exact=True).check()
    page.get_by_label("trigger regen").check()
    page.get_by_role("button", name="Add threshold").click()
    page.get_by_label("Metric").fill("durationMs")
    page.get_by_label("At most").fill("1500")


def test_the_seeds_spec_is_built_linted_and_published_in_the_browser(person: PersonMaker) -> None:
    publisher = person(Role.PUBLISHER)
    page = publisher.page

    # A draft is made, and an event in it, whose preview follows what is typed.
    make_the_spec(page)
    page.locator("a[href*='/events/add/']").first.click()
    tell_the_meaning(page)
    add_the_properties(page)
    page.locator("#event-preview .payload", has_text='"REDACTED"').wait_for()
    add_the_anomaly_rules(page)
    findings = page.locator("#event-preview .findings", has_text="why_missing")
    findings.wait_for()
    assert findings.locator(".chip", has_text="error").count() == 0
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.wait_for_url("**/events/*/change/**")

    # The draft has it, and is published.
    page.get_by_role("link", name="sigil.telemetry", exact=True).first.click()
    page.get_by_role("link", name="Publish").first.click()
    page.get_by_label("What changed, and why?").fill("First version of the plan")
    page.locator("button[type=submit]", has_text="Publish").last.click()
    page.get_by_text("is published. Apps get it").wait_for()

    with tenant_context(ALL):
        version = SpecVersion.objects.get()
        assert spec_of_version(version) == make_sigil_spec()
        assert SpecRecord.objects.get().published_revision == SpecRecord.objects.get().draft_revision
    assert publisher.complaints == []
