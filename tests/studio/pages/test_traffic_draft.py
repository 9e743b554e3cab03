"""The page that drafts a spec from traffic."""

import pytest

from telemetry.models import SpecRecord
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import fields_of, text_of, visitor
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation("acme")


def page(installation: Installation) -> str:
    return f"/studio/installations/{installation.public_id}/draft/"


def test_the_draft_is_shown_with_what_is_uncertain_and_can_be_imported(installation: Installation) -> None:
    ingest(installation, make_incoming(), make_incoming(name="made_up", properties={"email": "alice@example.com"}))
    analyst = visitor(Role.ANALYST)

    shown = analyst.get(page(installation), name="seen.events", days="7")
    checked = analyst.post("/studio/specs/import/", text=shown.context["document"], _check="1")
    analyst.post("/studio/specs/import/", text=shown.context["document"])

    text = text_of(shown)
    assert "2 events from 1 stored one." in text
    assert "made_up@1: email" in text
    assert "the spec does not know it; 1 came" in text
    assert "alice" not in text
    assert "The document can be read: seen.events" in text_of(checked)
    assert SpecRecord.objects.filter(name="seen.events").exists()


def test_it_opens_with_a_form_and_says_when_nothing_came(installation: Installation) -> None:
    viewer = visitor(Role.VIEWER, installation.tenant)

    opened, empty = viewer.get(page(installation)), viewer.get(page(installation), name="seen", days="7")

    assert fields_of(opened)["days"] == 7
    assert "Nothing came that could be told" in text_of(empty)
    assert viewer.get(page(installation), name="seen", days="0").status_code == 200


def test_who_may_not_edit_specs_sees_the_draft_and_no_way_to_import_it(installation: Installation) -> None:
    ingest(installation, make_incoming())

    shown = visitor(Role.VIEWER, installation.tenant).get(page(installation), name="seen", days="7")

    assert "sigil.telemetry.workflow_step" in text_of(shown)
    assert "Check and import" not in text_of(shown)


def test_anothers_installation_is_as_absent_as_none(installation: Installation) -> None:
    stranger = visitor(Role.ADMIN, make_installation("other").tenant)

    assert stranger.get(page(installation), name="seen", days="7").status_code == 404


def test_the_installations_page_leads_to_it(installation: Installation) -> None:
    summary = visitor(Role.VIEWER, installation.tenant).get(f"/studio/installations/{installation.public_id}/change/")

    assert page(installation) in summary.content.decode()
