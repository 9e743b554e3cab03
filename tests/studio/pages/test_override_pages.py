"""The pages around an override's life: many at once, undo, one event, release, promotion, comparison, an early end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.core.enums import Environment, PrivacyLevel, RedactionStrategy
from telemetry.core.spec import Redaction, Threshold
from telemetry.services.configs import effective_config
from tenants.context import ALL, tenant_context
from tenants.mappers import override_of
from tenants.models import ConfigPeriod, ConfigStatus, Installation, TenantAppConfig
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.studio.visitors import assert_denied, assert_refused, errors_in, roles_without, text_of, visitor
from tests.telemetry.factories import everything_stored, make_published
from tests.telemetry.factories import make_installation as make_bound
from tests.tenants.clock import pass_time
from tests.tenants.factories import make_draft_config, make_installation, make_published_config, make_tenant

pytestmark = pytest.mark.django_db

HALF = TenantOverride(events={"cart": EventOverride(sampling_rate=0.5)})
SUMMARY = {"change_summary": "For the sale"}
HOUR = timedelta(hours=1)


@pytest.fixture
def installation() -> Installation:
    """Production of a shop with sixty events, two of them in the funnel."""
    properties = {"plan": make_property(), "price": make_property("number")}
    funnel = [make_event(name, tags=("funnel",), properties=properties) for name in ("cart", "paid")]
    make_published(make_spec(*funnel, *(make_event(f"other{number:02}") for number in range(58)), name="shop"))
    return make_bound("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop")))


def page(installation: Installation, name: str) -> str:
    return f"/studio/installations/{installation.public_id}/{name}/"


def stored(installation: Installation) -> list[tuple[int, str, TenantOverride]]:
    with tenant_context(ALL):
        rows = TenantAppConfig.objects.filter(installation=installation).order_by("number")
        return [(row.number, row.status, override_of(row)) for row in rows]


def live_rate(installation: Installation, name: str = "cart") -> float:
    with tenant_context(ALL):
        return next(event.sampling.rate for event in effective_config(installation).events if event.name == name)


def release_page(draft: TenantAppConfig) -> str:
    return f"/studio/configs/{draft.pk}/release/"


def local(instant: Any) -> str:
    return f"{instant:%Y-%m-%dT%H:%M}"


# Many at once


def bulk(checksum: str = "", **entries: Any) -> dict[str, Any]:
    return {
        "bulk": "1",
        **{f"bulk-{name}": value for name, value in entries.items()},
        "bulk-expected_checksum": checksum,
    }


def test_every_event_of_the_filter_is_changed_in_the_draft(installation: Installation) -> None:
    asked = visitor(Role.ANALYST, installation.tenant)

    answer = asked.post(f"{page(installation, 'toggles')}?tag=funnel", bulk(collect="off", rate="25"))

    assert answer["Location"] == f"{page(installation, 'toggles')}?tag=funnel"
    off = EventOverride(enabled=False, sampling_rate=0.25)
    assert stored(installation) == [(1, ConfigStatus.DRAFT, TenantOverride(events={"cart": off, "paid": off}))]
    assert "2 events" in text_of(asked.get(answer["Location"]))


def test_what_may_not_be_is_left_out_and_said(installation: Installation) -> None:
    asked = visitor(Role.ANALYST)

    answer = asked.post(f"{page(installation, 'toggles')}?tag=funnel", bulk(days="3000", rate="50"))

    (_, _, override) = stored(installation)[0]
    assert {event.retention_days for event in override.events.values()} == {None}
    assert "may only be tightened" in text_of(asked.get(answer["Location"]))


@pytest.mark.parametrize(
    ("entries", "field"),
    [({"rate": "101"}, "rate"), ({"days": "0"}, "days"), ({"collect": "perhaps"}, "collect"), ({}, "__all__")],
)
def test_a_change_that_makes_no_sense_leaves_everything(
    installation: Installation, entries: dict[str, str], field: str
) -> None:
    asked, before = visitor(Role.ANALYST), everything_stored()

    answer = asked.post(page(installation, "toggles"), bulk(**entries))

    assert answer.status_code == 200
    assert field in answer.context["bulk_form"].errors
    assert everything_stored() == before


def test_the_last_change_of_the_draft_is_undone_step_by_step(installation: Installation) -> None:
    asked = visitor(Role.ANALYST, installation.tenant)
    asked.post(f"{page(installation, 'toggles')}?q=cart", bulk(rate="50"))
    asked.post(f"{page(installation, 'toggles')}?q=paid", bulk(checksum_of(installation), rate="10"))

    for expected in ({"cart"}, set[str]()):
        asked.post(page(installation, "toggles"), undo="1", expected_checksum=checksum_of(installation))
        assert {name for _, _, override in stored(installation) for name in override.events} == expected


def checksum_of(installation: Installation) -> str:
    with tenant_context(ALL):
        return TenantAppConfig.objects.get(installation=installation, status=ConfigStatus.DRAFT).checksum


def test_a_page_of_the_grid_keeps_what_the_other_pages_say(installation: Installation) -> None:
    make_published_config(installation, HALF)
    asked = visitor(Role.ANALYST)
    second = f"{page(installation, 'toggles')}?page=2"

    answer = asked.fill_in(second, {"rate:other57@1": "10", "draft": "1"})

    assert answer["Location"] == second
    (_, _, override) = stored(installation)[-1]
    assert {name: event.sampling_rate for name, event in override.events.items()} == {"cart": 0.5, "other57": 0.1}


def test_everything_is_inherited_again_after_a_question(installation: Installation) -> None:
    make_published_config(installation, HALF)
    asked = visitor(Role.ANALYST)
    assert "Inherit everything again" in text_of(asked.get(page(installation, "reset")))

    asked.post(page(installation, "reset"), expected_checksum="")

    assert stored(installation)[-1] == (2, ConfigStatus.DRAFT, TenantOverride())
    assert live_rate(installation) == 0.5


# One event


def event_page(installation: Installation, reference: str = "cart@1") -> str:
    return f"{page(installation, 'toggle_event')}?event={reference}"


def test_one_event_is_edited_with_all_that_an_override_can_say(installation: Installation) -> None:
    asked = visitor(Role.ANALYST, installation.tenant)

    asked.fill_in(
        event_page(installation),
        enabled="on",
        privacy="pii",
        rate="12.5",
        days="7",
        policy="delete",
        hide_0="drop",
        sample="20",
        own_bounds="on",
        metric_0="price",
        max_0="3",
    )

    (_, _, override) = stored(installation)[0]
    event = override.events["cart"]
    assert (event.enabled, event.privacy, event.sampling_rate, event.retention_days) == (
        True,
        PrivacyLevel.PII,
        0.125,
        7,
    )
    assert event.redaction == {"plan": Redaction(strategy=RedactionStrategy.DROP)}
    assert event.anomaly_detection is not None
    assert event.anomaly_detection.minimum_sample == 20
    assert event.anomaly_detection.thresholds == (Threshold(metric="price", max=3.0),)


@pytest.mark.parametrize(("entries", "field"), [({"rate": "-1"}, "rate"), ({"days": "0"}, "days")])
def test_what_breaks_a_rule_is_said_beside_its_field(
    installation: Installation, entries: dict[str, str], field: str
) -> None:
    asked = visitor(Role.ANALYST)

    assert field in assert_refused(lambda: asked.fill_in(event_page(installation), entries))


def test_an_event_that_the_spec_does_not_have_is_not_found(installation: Installation) -> None:
    asked = visitor(Role.ANALYST)

    assert asked.get(event_page(installation, "nothing@1")).status_code == 404
    assert asked.get(page(installation, "toggle_event")).status_code == 404


# Release


def test_a_draft_is_released_at_once(installation: Installation) -> None:
    draft = make_draft_config(installation, HALF)
    asked = visitor(Role.PUBLISHER, installation.tenant)
    assert "50 %" in text_of(asked.get(release_page(draft))) or "0.5" in text_of(asked.get(release_page(draft)))

    answer = asked.fill_in(release_page(draft), SUMMARY)

    assert answer["Location"] == page(installation, "history")
    assert "Version 1 is live." in text_of(asked.get(answer["Location"]))
    assert live_rate(installation) == 0.5


def test_a_draft_is_released_for_later_and_for_a_while(installation: Installation) -> None:
    draft = make_draft_config(installation, HALF)
    asked = visitor(Role.PUBLISHER)
    starts_at = timezone.now() + HOUR

    asked.fill_in(release_page(draft), SUMMARY, starts_at=local(starts_at), ends_at=local(starts_at + HOUR))

    rates = []
    for _ in range(3):
        rates.append(live_rate(installation))
        pass_time(HOUR)
    assert rates == [1, 0.5, 1]


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"change_summary": ""}, "change_summary"),
        ({"starts_at": "2001-01-01T00:00"}, "starts_at"),
        ({"ends_at": "2001-01-01T00:00"}, "ends_at"),
        ({"starts_at": "soon"}, "starts_at"),
    ],
)
def test_a_release_that_makes_no_sense_is_refused(
    installation: Installation, entries: dict[str, str], field: str
) -> None:
    draft = make_draft_config(installation, HALF)
    asked = visitor(Role.PUBLISHER)

    assert list(assert_refused(lambda: asked.fill_in(release_page(draft), {**SUMMARY, **entries}))) == [field]


def test_what_went_live_meanwhile_is_not_released_over_by_accident(installation: Installation) -> None:
    draft = make_draft_config(installation, HALF)
    asked = visitor(Role.PUBLISHER)
    sent = {**SUMMARY, "expected_checksum": draft.checksum, "expected_number": 7}

    answer = asked.post(release_page(draft), sent)

    assert "__all__" in errors_in(answer)
    assert live_rate(installation) == 1


def test_a_draft_becomes_a_preview_that_no_app_gets(installation: Installation) -> None:
    draft = make_draft_config(installation, HALF)
    asked = visitor(Role.ANALYST, installation.tenant)

    asked.post(release_page(draft), preview="1", expected_checksum=draft.checksum)

    assert stored(installation) == [(1, ConfigStatus.PREVIEW, HALF)]
    assert live_rate(installation) == 1


# An early end


def end_page(installation: Installation) -> str:
    with tenant_context(ALL):
        return f"/studio/configs/periods/{ConfigPeriod.objects.get(installation=installation).pk}/end/"


def test_what_is_planned_is_cancelled_and_what_runs_is_ended(installation: Installation) -> None:
    draft = make_draft_config(installation, HALF)
    asked = visitor(Role.PUBLISHER, installation.tenant)
    end = local(timezone.now() + 3 * HOUR)
    asked.fill_in(release_page(draft), SUMMARY, ends_at=end)
    assert live_rate(installation) == 0.5
    assert "End version 1 now" in text_of(asked.get(end_page(installation)))

    asked.post(end_page(installation))

    assert live_rate(installation) == 1


@pytest.mark.parametrize("role", roles_without("config.publish"))
def test_who_may_not_publish_ends_nothing(installation: Installation, role: Role) -> None:
    draft = make_draft_config(installation, HALF)
    end = local(timezone.now() + 3 * HOUR)
    visitor(Role.PUBLISHER).fill_in(release_page(draft), SUMMARY, ends_at=end)
    asked, address = visitor(role, installation.tenant), end_page(installation)

    assert_denied("config.publish", lambda: asked.post(address))


# Promotion


@pytest.fixture
def staging(installation: Installation) -> Installation:
    """Staging of the same app at the same tenant, where half of the carts are kept."""
    found = make_installation(installation.tenant, installation.app, Environment.STAGING)
    make_published_config(found, HALF)
    return found


def test_what_staging_says_is_taken_over_into_the_draft(installation: Installation, staging: Installation) -> None:
    asked = visitor(Role.ANALYST, installation.tenant)
    assert "From staging" in text_of(asked.get(page(installation, "promote")))

    answer = asked.post(page(installation, "promote"), source=str(staging.public_id), expected_checksum="")

    assert answer["Location"] == page(installation, "toggles")
    assert "version 1 of staging" in text_of(asked.get(answer["Location"]))
    assert stored(installation) == [(1, ConfigStatus.DRAFT, HALF)]
    assert live_rate(installation) == 1


def test_a_source_that_is_not_offered_takes_nothing_over(installation: Installation, staging: Installation) -> None:
    theirs = make_installation(make_tenant("globex"), installation.app, Environment.STAGING)
    make_published_config(theirs, HALF)
    asked, before = visitor(Role.ANALYST), everything_stored()

    asked.post(page(installation, "promote"), source=str(theirs.public_id), expected_checksum="")

    assert everything_stored() == before


# Comparison


def test_any_two_versions_are_compared(installation: Installation) -> None:
    make_published_config(installation, HALF)
    make_published_config(installation, TenantOverride(events={"paid": EventOverride(enabled=False)}))
    asked = visitor(Role.VIEWER, installation.tenant)

    newest = asked.get(page(installation, "compare"))
    first = asked.get(page(installation, "compare"), before="defaults", after="1")

    assert {group.title for group in newest.context["groups"]} == {"cart@1", "paid@1"}
    assert {group.title for group in first.context["groups"]} == {"cart@1"}


# Whose they are

PLACES: dict[str, Callable[[Installation, TenantAppConfig], str]] = {
    "toggles": lambda installation, _: page(installation, "toggles"),
    "toggle_event": lambda installation, _: event_page(installation),
    "compare": lambda installation, _: page(installation, "compare"),
    "promote": lambda installation, _: page(installation, "promote"),
    "reset": lambda installation, _: page(installation, "reset"),
    "release": lambda _, draft: release_page(draft),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_role_in_one_tenant_opens_its_own_and_no_others(installation: Installation, place: str) -> None:
    address = PLACES[place](installation, make_draft_config(installation, HALF))

    assert visitor(Role.ADMIN, installation.tenant).get(address).status_code == 200
    stranger, before = visitor(Role.ADMIN, make_tenant("globex")), everything_stored()
    assert stranger.get(address).status_code == 404
    assert stranger.post(address, {**SUMMARY, "bulk": "1", "bulk-collect": "off"}).status_code == 404
    assert everything_stored() == before


@pytest.mark.parametrize("role", roles_without("config.edit"))
@pytest.mark.parametrize("place", ["reset", "promote", "release"])
def test_who_may_only_look_gets_no_page_that_changes(installation: Installation, place: str, role: Role) -> None:
    address = PLACES[place](installation, make_draft_config(installation, HALF))
    asked = visitor(role, installation.tenant)

    assert_denied("config.edit", lambda: asked.post(address, SUMMARY))
