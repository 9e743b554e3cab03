"""The pages that replay the last days under a draft, or under a version of an override."""

import pytest
from msgspec.structs import replace
from pytest_django import Settings

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.models import SpecRecord
from telemetry.services.specs import save_meta
from telemetry.services.what_if.replaying import Change
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.core.builders import make_sigil_spec
from tests.studio.visitors import assert_denied, text_of, visitor
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published, make_review
from tests.telemetry.services.purging.factories import store
from tests.tenants.factories import make_draft_config, make_tenant

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"


@pytest.fixture
def installation(settings: Settings) -> Installation:
    """Acme, which sent four events in the last minute."""
    settings.STUDIO_SAMPLE_HOURS = 24
    make_published()
    found = make_installation("acme")
    ingest(found, *(make_incoming() for _ in range(4)))
    return found


def page() -> str:
    return f"/studio/specs/{SpecRecord.objects.get(name='sigil.telemetry').pk}/what-if/"


def halve_the_default() -> None:
    spec = make_sigil_spec()
    assert spec.config is not None
    with tenant_context(ALL):
        revision = SpecRecord.objects.get().draft_revision
        config = replace(spec.config, default_retention_days=7, default_sampling_rate=0.5)
        meta = replace(spec.meta, version=2)
        save_meta(actor=SYSTEM, meta=meta, config=config, expected_revision=revision)


def test_a_draft_is_tried_on_what_came_in(installation: Installation) -> None:
    halve_the_default()

    response = visitor(Role.ANALYST).get(page())

    (item,) = response.context["what_if"].items
    (event,) = item.events
    assert (item.installation, event.name, event.kept) == (installation, STEP, Change(4, 2))
    assert item.purged == Change(0, 0)
    text = text_of(response)
    assert "4 events concerned, \N{MINUS SIGN}2 kept" in text
    assert f"{installation.app.name} at Acme" in text


def test_what_a_shorter_retention_removes_is_told_by_installation(installation: Installation) -> None:
    other = make_installation("globex")
    ingest(other, make_incoming())
    store(installation, 3, days_ago=10, days=30)
    store(other, 2, days_ago=10, days=30)
    store(other, 1, days_ago=2, days=30)
    halve_the_default()

    items = visitor(Role.ANALYST).get(page()).context["what_if"].items

    assert {item.installation: item.purged for item in items} == {installation: Change(0, 3), other: Change(0, 2)}


def test_a_draft_that_says_what_is_published_has_nothing_to_try(installation: Installation) -> None:
    assert "There is nothing to try" in text_of(visitor(Role.VIEWER).get(page()))


def test_a_draft_that_touches_no_event_makes_no_difference(installation: Installation) -> None:
    make_review()

    text = text_of(visitor(Role.VIEWER).get(page()))

    assert "new" in text
    assert "0 events concerned" in text


def test_without_events_there_is_nothing_to_try_it_on() -> None:
    make_published()
    make_installation("acme")
    halve_the_default()

    assert "No events came in the last 7 days" in text_of(visitor(Role.VIEWER).get(page()))


def test_a_review_leads_to_it(installation: Installation) -> None:
    review = make_review()

    response = visitor(Role.PUBLISHER).get(f"/studio/reviews/{review.pk}/change/")

    assert page() in response.content.decode()


def test_who_sees_one_tenant_only_does_not_see_all_of_them(installation: Installation) -> None:
    halve_the_default()
    asked, address = visitor(Role.ANALYST, installation.tenant), page()

    assert_denied("view", lambda: asked.get(address))


def test_a_version_of_an_override_is_tried_too(installation: Installation) -> None:
    draft = make_draft_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False)}))
    asked = visitor(Role.ANALYST, installation.tenant)
    address = f"/studio/configs/{draft.pk}/what-if/"

    response = asked.get(address)

    assert response.context["what_if"].items[0].events[0].kept == Change(4, 0)
    assert address in asked.get(f"/studio/configs/{draft.pk}/release/").content.decode()
    assert visitor(Role.ADMIN, make_tenant("globex")).get(address).status_code == 404
