"""The toggles page: one row per event, saved as a draft or published at once."""

from typing import Any

import pytest

from telemetry.core.config import (
    AppBlueprint,
    EventOverride,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import PrivacyLevel
from telemetry.services.configs import effective_config
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.mappers import override_of
from tenants.models import ConfigStatus, Installation, TenantAppConfig
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import (
    Visitor,
    actions,
    assert_denied,
    assert_refused,
    errors_in,
    fields_of,
    roles_without,
    text_of,
    visitor,
)
from tests.telemetry.factories import make_draft, make_installation, make_published
from tests.tenants.factories import make_draft_config, make_published_config, make_tenant

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
ROW = f"{STEP}@1"
PUBLISH: dict[str, Any] = {"publish": "1", "change_summary": "Collect less"}
DRAFT: dict[str, Any] = {"draft": "1"}


@pytest.fixture
def installation() -> Installation:
    """The seed's example at Acme, without an override."""
    make_published()
    return make_installation("acme")


def page(installation: Installation) -> str:
    return f"/studio/installations/{installation.public_id}/toggles/"


def versions(installation: Installation) -> list[tuple[int, str, TenantOverride]]:
    with tenant_context(ALL):
        rows = TenantAppConfig.objects.filter(installation=installation).order_by("number")
        return [(row.number, row.status, override_of(row)) for row in rows]


def floor(floor: PrivacyFloor) -> None:
    with tenant_context(ALL):
        save_floor(actor=SYSTEM, app=None, floor=floor, expected_revision=0)


def row(asked: Visitor, installation: Installation, number: int = 0) -> Any:
    return list(asked.get(page(installation)).context["form"].grid())[number]


# Publishing and drafting


def test_an_event_is_turned_off_and_apps_get_it_with_their_next_request(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER, installation.tenant)

    response = asked.fill_in(page(installation), {f"enabled:{ROW}": "off", **PUBLISH})

    assert (response.status_code, response["Location"]) == (302, page(installation))
    assert versions(installation) == [
        (1, ConfigStatus.PUBLISHED, TenantOverride(events={STEP: EventOverride(enabled=False)}))
    ]
    with tenant_context(ALL):
        assert not effective_config(installation).events[0].enabled
    assert actions()[-1] == "config.version.published"
    assert "Version 1 is live." in text_of(asked.get(page(installation)))


def test_a_share_is_typed_in_percent_and_kept_exactly(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER)

    asked.fill_in(page(installation), {f"rate:{ROW}": "33.3", f"days:{ROW}": "7", **PUBLISH})

    (_, _, override) = versions(installation)[0]
    assert override.events[STEP] == EventOverride(sampling_rate=0.333, retention_days=7)
    assert fields_of(asked.get(page(installation)))[f"rate:{ROW}"] == "33.3"


def test_a_draft_changes_nothing_for_apps_until_it_is_published(installation: Installation) -> None:
    analyst, publisher = visitor(Role.ANALYST, installation.tenant), visitor(Role.PUBLISHER, installation.tenant)

    analyst.fill_in(page(installation), {f"enabled:{ROW}": "off", **DRAFT})

    assert [status for _, status, _ in versions(installation)] == [ConfigStatus.DRAFT]
    with tenant_context(ALL):
        assert effective_config(installation).events[0].enabled
    shown = publisher.get(page(installation))
    assert "You see the draft (version 1" in text_of(shown)
    publisher.post(page(installation), {**fields_of(shown), **PUBLISH})
    assert [status for _, status, _ in versions(installation)] == [ConfigStatus.PUBLISHED]


def test_the_whole_installation_is_turned_off(installation: Installation) -> None:
    visitor(Role.PUBLISHER).fill_in(page(installation), telemetry="off", **PUBLISH)

    assert versions(installation)[0][2] == TenantOverride(enabled=False)


def test_an_installation_is_pinned_to_a_version_and_set_free_again(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER)

    asked.fill_in(page(installation), spec="sigil.telemetry@1", **PUBLISH)
    asked.fill_in(page(installation), spec="sigil.telemetry@latest", **PUBLISH)
    asked.fill_in(page(installation), spec="", **PUBLISH)

    assert [override.spec for _, _, override in versions(installation)] == [
        SpecPointer(name="sigil.telemetry", version=1),
        SpecPointer(name="sigil.telemetry"),
        None,
    ]


def test_a_page_that_is_sent_as_it_is_keeps_what_it_does_not_show(installation: Installation) -> None:
    rich = TenantOverride(
        default_sampling_rate=0.5,
        events={
            STEP: EventOverride(privacy=PrivacyLevel.PII, sampling_rate=0.1),
            f"{STEP}@1": EventOverride(enabled=True),
        },
    )
    make_published_config(installation, rich)

    visitor(Role.ANALYST).fill_in(page(installation), DRAFT)

    assert versions(installation)[-1] == (2, ConfigStatus.DRAFT, rich)


def test_a_toggle_is_taken_back_by_emptying_it(installation: Installation) -> None:
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False, sampling_rate=0.5)}))

    visitor(Role.PUBLISHER).fill_in(page(installation), {f"enabled:{ROW}": "", f"rate:{ROW}": "", **PUBLISH})

    assert versions(installation)[-1][2] == TenantOverride()


# Who may


@pytest.mark.parametrize("role", roles_without("config.edit"))
def test_who_may_only_look_sees_the_toggles_and_changes_none(installation: Installation, role: Role) -> None:
    asked = visitor(role, installation.tenant)
    shown = asked.get(page(installation))

    assert STEP in text_of(shown)
    assert "Save draft" not in text_of(shown)
    assert fields_of(shown) == {}
    assert_denied("config.edit", lambda: asked.post(page(installation), {f"enabled:{ROW}": "off", **DRAFT}))


@pytest.mark.parametrize("role", sorted(set(roles_without("config.publish")) - set(roles_without("config.edit"))))
def test_who_may_only_draft_publishes_nothing(installation: Installation, role: Role) -> None:
    asked = visitor(role, installation.tenant)
    shown = asked.get(page(installation))
    sent = {**fields_of(shown), f"enabled:{ROW}": "off", **PUBLISH}

    assert "Save and publish" not in text_of(shown)
    assert_denied("config.publish", lambda: asked.post(page(installation), sent))
    assert versions(installation) == []


def test_a_role_in_another_tenant_opens_nothing(installation: Installation) -> None:
    asked = visitor(Role.ADMIN, make_tenant())

    assert asked.get(page(installation)).status_code == 404
    assert asked.post(page(installation), {f"enabled:{ROW}": "off", **PUBLISH}).status_code == 404
    assert versions(installation) == []


# What is refused


@pytest.mark.parametrize(
    ("entries", "field", "message"),
    [
        ({f"enabled:{ROW}": "maybe"}, f"enabled:{ROW}", "valid choice"),
        ({f"rate:{ROW}": "7.5e9"}, f"rate:{ROW}", "less than or equal to 100"),
        ({f"rate:{ROW}": "-1"}, f"rate:{ROW}", "greater than or equal to 0"),
        ({f"rate:{ROW}": "NaN"}, f"rate:{ROW}", "Enter a number"),
        ({f"rate:{ROW}": "1e999999"}, f"rate:{ROW}", "less than or equal to 100"),
        ({f"days:{ROW}": "0"}, f"days:{ROW}", "at least 1"),
        ({f"days:{ROW}": "-3"}, f"days:{ROW}", "at least 1"),
        ({f"days:{ROW}": "1.5"}, f"days:{ROW}", "whole number"),
        ({f"days:{ROW}": "31"}, f"days:{ROW}", "may only be tightened"),
        ({"spec": "nothing@latest"}, "spec", "valid choice"),
        ({"telemetry": "sideways"}, "telemetry", "valid choice"),
        ({f"enabled:{ROW}": "off", "change_summary": " "}, "change_summary", "required"),
        ({f"enabled:{ROW}": "off", "change_summary": "x" * 4001}, "change_summary", "at most 4000"),
        ({f"enabled:{ROW}": "off", "expected_number": "x"}, "expected_number", "whole number"),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field_and_not_even_drafted(
    installation: Installation, entries: dict[str, Any], field: str, message: str
) -> None:
    asked = visitor(Role.PUBLISHER)

    errors = assert_refused(lambda: asked.fill_in(page(installation), {**PUBLISH, **entries}))

    assert list(errors) == [field]
    assert message.lower() in errors[field][0].lower()


def test_a_publication_that_changes_nothing_is_refused(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER)

    errors = assert_refused(lambda: asked.fill_in(page(installation), PUBLISH))

    assert errors == {"__all__": ["Nothing has changed since the app's defaults hold"]}


def test_what_somebody_else_drafted_is_not_overwritten_by_accident(installation: Installation) -> None:
    ana, ben = visitor(Role.ANALYST), visitor(Role.ANALYST)
    opened = fields_of(ana.get(page(installation)))
    ben.fill_in(page(installation), {f"enabled:{ROW}": "off", **DRAFT})

    refused = ana.post(page(installation), {**opened, f"days:{ROW}": "7", **DRAFT})

    assert "Somebody else saved this" in errors_in(refused)["__all__"][0]
    assert versions(installation)[0][2].events[STEP] == EventOverride(enabled=False)
    ana.post(page(installation), {**fields_of(refused), **DRAFT})
    assert versions(installation)[0][2].events[STEP] == EventOverride(retention_days=7)


def test_what_went_live_meanwhile_is_not_published_over_by_accident(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER)
    opened = fields_of(asked.get(page(installation)))
    make_published_config(installation, TenantOverride(enabled=False))

    refused = asked.post(page(installation), {**opened, f"days:{ROW}": "7", **PUBLISH})

    assert "Somebody else saved this" in errors_in(refused)["__all__"][0]
    assert len(versions(installation)) == 1


def test_an_event_that_came_after_the_page_was_made_keeps_its_toggle(installation: Installation) -> None:
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False)}))
    asked = visitor(Role.ANALYST)
    opened = fields_of(asked.get(page(installation)))
    older = {name: value for name, value in opened.items() if not name.endswith(f":{ROW}")}

    asked.post(page(installation), {**older, "telemetry": "on", **DRAFT})

    assert versions(installation)[-1][2] == TenantOverride(enabled=True, events={STEP: EventOverride(enabled=False)})


# What is shown


def test_a_row_says_what_holds_and_which_layer_set_it(installation: Installation) -> None:
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(sampling_rate=0.25)}))

    shown = row(visitor(Role.VIEWER), installation)

    assert [(cell.holds, cell.layer.value) for cell in (shown.enabled, shown.rate, shown.days)] == [
        ("on", "product"),
        ("25 %", "tenant"),
        ("30 days", "spec"),
    ]
    assert shown.rate.hint == f'Set by tenant, events["{STEP}"].samplingRate'
    assert shown.rate.field.value() == "25"
    assert shown.days.field.value() is None


def test_a_value_that_a_floor_holds_says_so(installation: Installation) -> None:
    floor(PrivacyFloor(maximum_retention_days={PrivacyLevel.INTERNAL: 7}, sampling=SamplingBounds(maximum_rate=0.5)))

    shown = row(visitor(Role.VIEWER), installation)

    assert (shown.rate.holds, shown.rate.layer.value) == ("50 %", "floor")
    assert (shown.days.holds, shown.days.layer.value) == ("7 days", "floor")


@pytest.mark.parametrize("forced", ["on", "off"])
def test_an_event_that_a_floor_forces_cannot_be_toggled(installation: Installation, forced: str) -> None:
    floor(PrivacyFloor(forced_on=(STEP,)) if forced == "on" else PrivacyFloor(forced_off=(STEP,)))
    asked = visitor(Role.PUBLISHER)

    shown = row(asked, installation)
    asked.fill_in(page(installation), {f"enabled:{ROW}": "off", f"days:{ROW}": "7", **PUBLISH})

    assert (shown.enabled.holds, shown.enabled.layer.value) == (forced, "floor")
    assert shown.enabled.field.field.disabled
    assert versions(installation)[0][2].events[STEP] == EventOverride(retention_days=7)


def test_inherited_values_stand_in_the_empty_fields(installation: Installation) -> None:
    shown = visitor(Role.ANALYST).get(page(installation)).content.decode()

    assert 'placeholder="100"' in shown
    assert 'placeholder="30"' in shown
    assert "inherit (on)" in shown


def test_each_version_of_an_event_has_its_row() -> None:
    make_published(make_spec(make_event("step"), make_event("step", 2)))
    installation = make_installation("acme")

    visitor(Role.PUBLISHER).fill_in(page(installation), {"enabled:step@1": "off", **PUBLISH})

    assert versions(installation)[0][2].events == {"step@1": EventOverride(enabled=False)}


def test_names_with_spaces_and_dollars_have_rows_too() -> None:
    make_published(make_spec(make_event("Order Completed"), make_event("$pageview")))
    installation = make_installation("acme")

    visitor(Role.PUBLISHER).fill_in(
        page(installation), {"enabled:$pageview@1": "off", "rate:Order Completed@1": "5", **PUBLISH}
    )

    assert versions(installation)[0][2].events == {
        "Order Completed": EventOverride(sampling_rate=0.05),
        "$pageview": EventOverride(enabled=False),
    }


def test_an_installation_without_a_spec_can_be_bound_to_one() -> None:
    make_published()
    installation = make_installation("acme", blueprint=AppBlueprint())
    asked = visitor(Role.PUBLISHER)

    shown = text_of(asked.get(page(installation)))
    asked.fill_in(page(installation), spec="sigil.telemetry@latest", **PUBLISH)

    assert "There are no events to toggle: no spec is bound" in shown
    assert STEP in text_of(asked.get(page(installation)))


def test_a_pin_that_leads_nowhere_is_shown_and_can_be_changed() -> None:
    make_draft()
    installation = make_installation("acme")
    make_published_config(installation, TenantOverride(spec=SpecPointer(name="sigil.telemetry", version=7)))

    shown = visitor(Role.ANALYST).get(page(installation))

    assert "sigil.telemetry@7 (not published)" in text_of(shown)


def test_many_events_take_as_many_queries_as_few() -> None:
    make_published(make_spec(make_event("one"), name="few"))
    make_published(make_spec(*(make_event(f"event{i}") for i in range(50)), name="many"))
    few = make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="few")))
    many = make_installation("globex", blueprint=AppBlueprint(spec=SpecPointer(name="many")))
    make_draft_config(many)
    make_draft_config(few)
    asked = visitor(Role.ANALYST)

    assert asked.cost_of(page(many)) == asked.cost_of(page(few))
