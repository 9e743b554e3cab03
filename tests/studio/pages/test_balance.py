"""The page of the balance."""

import pytest

from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

PAGE = "/studio/balance/"
STEP = "sigil.telemetry.workflow_step"


@pytest.fixture
def installation() -> Installation:
    make_published()
    found = make_installation()
    again = make_incoming()
    ingest(found, again, again, make_incoming(), make_incoming(name="made_up"))
    return found


def test_all_installations_are_added_up(installation: Installation) -> None:
    ingest(make_installation("globex"), make_incoming())

    text = text_of(visitor(Role.VIEWER).get(PAGE))

    assert "5 received = 3 stored + 0 sampled out + 0 disabled + 1 rejected + 1 duplicate" in text
    assert "balanced" in text
    assert "Globex" in text


def test_one_installation_is_shown_by_event(installation: Installation) -> None:
    text = text_of(visitor(Role.VIEWER).get(PAGE, installation=str(installation.public_id)))

    assert "4 received = 2 stored + 0 sampled out + 0 disabled + 1 rejected + 1 duplicate" in text
    assert "2 stored = 2 kept now + 0 purged + 0 archived + 0 erased" in text
    assert f"{STEP} @1" in text
    assert "Events that the spec does not know" in text


def test_one_event_can_be_looked_at_alone(installation: Installation) -> None:
    query = {"installation": str(installation.public_id), "event": STEP, "period": "hour"}

    text = text_of(visitor(Role.VIEWER).get(PAGE, **query))

    assert "3 received = 2 stored" in text
    assert "Events that the spec does not know" not in text


def test_nothing_received_says_what_the_page_is_for() -> None:
    assert "Nothing was received" in text_of(visitor(Role.VIEWER).get(PAGE))


@pytest.mark.parametrize("query", [{"period": "century"}, {"event": "a\0b"}, {"installation": "none"}])
def test_what_the_address_cannot_mean_is_passed_over(installation: Installation, query: dict[str, str]) -> None:
    assert "4 received" in text_of(visitor(Role.VIEWER).get(PAGE, **query))


def test_another_tenants_installation_is_not_there(installation: Installation) -> None:
    stranger = visitor(Role.VIEWER, make_installation("globex").tenant)

    assert stranger.get(PAGE, installation=str(installation.public_id)).status_code == 404
    assert "Nothing was received" in text_of(stranger.get(PAGE))


def test_more_of_everything_costs_no_more_queries(installation: Installation) -> None:
    viewer = visitor(Role.VIEWER)
    costs = [viewer.cost_of(PAGE), viewer.cost_of(f"{PAGE}?installation={installation.public_id}")]
    ingest(make_installation("globex"), make_incoming())
    ingest(installation, *(make_incoming(name=name) for name in ("another", STEP)))

    more = [viewer.cost_of(PAGE), viewer.cost_of(f"{PAGE}?installation={installation.public_id}")]

    assert more == costs
