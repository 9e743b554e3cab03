"""Toggles: what an editor sees of each event, one change for many of them, and publishing at once."""

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, SamplingBounds, SpecPointer, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, StaleRevision
from telemetry.core.override_editing import BulkEdit
from telemetry.core.spec import Retention
from telemetry.services.configs import effective_config
from telemetry.services.toggles import (
    BulkResult,
    EventFilter,
    ToggleEvent,
    edit_in_bulk,
    publish_toggles,
    toggles_of,
)
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.mappers import override_of
from tenants.models import ConfigStatus, Installation, TenantAppConfig
from tenants.roles import Role
from tenants.selectors import draft_config, last_step
from tenants.services.config_drafts import undo_draft_change
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_actor, make_draft_config, make_published_config

STEP = "sigil.telemetry.workflow_step"
OFF = TenantOverride(events={STEP: EventOverride(enabled=False)})
PII = PrivacyLevel.PII


# Looking


@pytest.fixture
def many(workspace: None) -> Installation:
    """Four events of a shop, of which one is changed and one is held by a floor."""
    make_published(
        make_spec(
            make_event("order.placed", tags=("sales",), retention=Retention(days=90)),
            make_event("order.cancelled", 1, tags=("sales", "rare")),
            make_event("order.cancelled", 2, tags=("sales", "rare")),
            make_event("mail.sent", privacy=PII, properties={"id": make_property()}, retention=Retention(days=365)),
            name="shop",
        )
    )
    save_floor(
        actor=SYSTEM,
        app=None,
        floor=PrivacyFloor(
            maximum_retention_days={PII: 30}, forced_on=("order.placed",), sampling=SamplingBounds(minimum_rate=0.2)
        ),
        expected_revision=0,
    )
    installation = make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop")))
    make_published_config(installation, TenantOverride(events={"order.cancelled": EventOverride(enabled=False)}))
    return installation


def found(installation: Installation, **chosen: object) -> list[str]:
    """The events that the filter lets through."""
    page = toggles_of(installation).page(EventFilter(**chosen))  # type: ignore[arg-type]
    assert page.total == len(page.events)
    return [f"{row.event.name}@{row.event.version}" for row in page.events]


def row(installation: Installation, name: str) -> ToggleEvent:
    return next(row for row in toggles_of(installation).page().events if row.event.name == name)


def test_a_filter_finds_events_by_words_level_tag_and_state(many: Installation) -> None:
    assert found(many) == ["order.placed@1", "order.cancelled@1", "order.cancelled@2", "mail.sent@1"]
    assert found(many, search="ORDER placed") == ["order.placed@1"]
    assert found(many, search="rare") == ["order.cancelled@1", "order.cancelled@2"]
    assert found(many, privacy=PII) == ["mail.sent@1"]
    assert found(many, tag="sales", state="off") == ["order.cancelled@1", "order.cancelled@2"]
    assert found(many, state="own") == ["order.cancelled@1", "order.cancelled@2"]
    assert found(many, state="held") == ["order.placed@1", "mail.sent@1"]
    assert found(many, state="refused") == []
    assert found(many, tag="nothing") == []


def test_a_wish_that_a_floor_refuses_by_now_is_found(many: Installation) -> None:
    make_published_config(many, TenantOverride(events={"order.cancelled": EventOverride(sampling_rate=0.01)}))

    assert found(many, state="refused") == ["order.cancelled@1", "order.cancelled@2"]


def test_a_level_that_the_override_raises_counts(many: Installation) -> None:
    make_draft_config(many, TenantOverride(events={"order.placed": EventOverride(privacy=PII)}))

    assert found(many, privacy=PII) == ["order.placed@1", "mail.sent@1"]


def test_a_row_knows_what_holds_what_is_inherited_and_what_is_forced(many: Installation) -> None:
    cancelled, placed = row(many, "order.cancelled"), row(many, "order.placed")

    assert (cancelled.event.enabled, cancelled.inherited.enabled, cancelled.own) == (
        False,
        True,
        EventOverride(enabled=False),
    )
    assert (placed.forced, cancelled.forced) == (True, False)


def test_a_page_is_a_part_of_the_list(many: Installation) -> None:
    toggles = toggles_of(many)

    page = toggles.page(offset=1, limit=2)
    held = toggles.page(EventFilter(state="held"), offset=1, limit=5)

    assert ([row.event.version for row in page.events], page.total) == ([1, 2], 4)
    assert ([row.event.name for row in held.events], held.total) == (["mail.sent"], 2)


def test_looking_takes_three_queries_for_any_number_of_events(
    workspace: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_published(make_spec(*(make_event(f"event{number}") for number in range(500)), name="shop"))
    installation = make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop")))

    with django_assert_num_queries(3):
        page = toggles_of(installation).page(limit=50)

    assert (len(page.events), page.total, len(page.config.events)) == (50, 500, 50)


# One change for many


def bulk(
    installation: Installation, edit: BulkEdit, chosen: EventFilter | None = None, actor: Actor = SYSTEM
) -> BulkResult:
    draft = draft_config(installation)
    return edit_in_bulk(
        actor=actor,
        installation=installation,
        chosen=chosen or EventFilter(),
        edit=edit,
        expected_checksum=None if draft is None else draft.checksum,
    )


def test_every_event_of_the_filter_is_changed_in_the_draft_and_no_other(many: Installation) -> None:
    result = bulk(many, BulkEdit(sampling_rate=0.5), EventFilter(tag="sales"))

    assert (result.changed, result.refused) == (3, ())
    assert override_of(result.draft).events == {
        "order.placed": EventOverride(sampling_rate=0.5),
        "order.cancelled": EventOverride(enabled=False, sampling_rate=0.5),
    }
    assert effective_config(many).events[0].sampling.rate == 1.0


def test_what_may_not_be_is_left_out_and_told(many: Installation) -> None:
    result = bulk(many, BulkEdit(retention_days=60))

    assert result.changed == 1
    assert override_of(result.draft).events["order.placed"] == EventOverride(retention_days=60)
    assert {(error.code, error.path) for error in result.refused} == {
        ("loosens", 'events["order.cancelled"].retentionDays'),
        ("below_floor", 'events["mail.sent"].retentionDays'),
    }


def test_resetting_leaves_only_what_else_differs(many: Installation) -> None:
    make_published_config(
        many,
        TenantOverride(
            enabled=True,
            events={
                "order.placed": EventOverride(sampling_rate=0.5, retention_days=7),
                "mail.sent": EventOverride(sampling_rate=0.5),
            },
        ),
    )

    result = bulk(many, BulkEdit(reset=("samplingRate",)))

    assert override_of(result.draft) == TenantOverride(
        enabled=True, events={"order.placed": EventOverride(retention_days=7)}
    )


def test_a_change_that_changes_nothing_is_refused(many: Installation) -> None:
    with pytest.raises(Conflict, match="nothing is left to change"):
        bulk(many, BulkEdit(enabled=False), EventFilter(tag="rare"))
    with pytest.raises(Conflict, match="nothing is left to change"):
        bulk(many, BulkEdit(enabled=False), EventFilter(search="no such event"))


def test_changes_are_undone_one_after_the_other_back_to_what_is_live(many: Installation) -> None:
    bulk(many, BulkEdit(sampling_rate=0.5), EventFilter(tag="rare"))
    bulk(many, BulkEdit(retention_days=7))

    undone = []
    while True:
        draft = draft_config(many)
        assert draft is not None
        if last_step(draft) is None:
            break
        step = undo_draft_change(actor=SYSTEM, installation=many, expected_checksum=draft.checksum)
        draft = draft_config(many)
        assert draft is not None
        undone.append((step.deed, override_of(draft).events))

    live = {"order.cancelled": EventOverride(enabled=False)}
    assert undone == [
        (
            "Changed 4 events at once",
            {"order.cancelled": EventOverride(enabled=False, sampling_rate=0.5)},
        ),
        ("Changed 2 events at once", live),
    ]
    with pytest.raises(Conflict, match="nothing to undo"):
        undo_draft_change(actor=SYSTEM, installation=many, expected_checksum=draft.checksum)


def test_a_published_draft_has_nothing_to_undo(many: Installation) -> None:
    result = bulk(many, BulkEdit(sampling_rate=0.5))

    config = publish_toggles(
        actor=SYSTEM,
        installation=many,
        override=override_of(result.draft),
        change_summary="Half",
        expected_checksum=result.draft.checksum,
        expected_published_number=1,
    )

    assert last_step(config) is None


@pytest.mark.parametrize("role", [Role.VIEWER])
def test_who_may_not_edit_changes_nothing_at_once_or_back(many: Installation, role: Role) -> None:
    draft = bulk(many, BulkEdit(sampling_rate=0.5)).draft
    actor = make_actor(role, many.tenant)
    before = everything_stored()

    with pytest.raises(NotAllowed):
        bulk(many, BulkEdit(enabled=False), actor=actor)
    with pytest.raises(NotAllowed):
        undo_draft_change(actor=actor, installation=many, expected_checksum=draft.checksum)

    assert everything_stored() == before


def test_a_draft_that_changed_meanwhile_is_neither_changed_nor_undone(many: Installation) -> None:
    make_draft_config(many, OFF)

    with pytest.raises(StaleRevision):
        edit_in_bulk(
            actor=SYSTEM,
            installation=many,
            chosen=EventFilter(),
            edit=BulkEdit(sampling_rate=0.5),
            expected_checksum=None,
        )
    with pytest.raises(StaleRevision):
        undo_draft_change(actor=SYSTEM, installation=many, expected_checksum="0" * 64)


def test_another_tenant_s_events_are_out_of_reach(many: Installation) -> None:
    other = make_installation("globex", blueprint=AppBlueprint(spec=SpecPointer(name="shop")))
    actor = make_actor(Role.ADMIN, other.tenant)

    with tenant_context(actor.tenant_ids), pytest.raises(NotAllowed):
        edit_in_bulk(
            actor=actor, installation=many, chosen=EventFilter(), edit=BulkEdit(enabled=False), expected_checksum=None
        )
    with tenant_context(ALL):
        assert draft_config(many) is None


# Publishing


@pytest.fixture
def installation(workspace: None) -> Installation:
    """The seed's example at Acme, without an override."""
    make_published()
    return make_installation("acme")


def publish(installation: Installation, override: TenantOverride, **given: object) -> TenantAppConfig:
    arguments = {
        "actor": SYSTEM,
        "change_summary": "Less",
        "expected_checksum": None,
        "expected_published_number": None,
        **given,
    }
    return publish_toggles(installation=installation, override=override, **arguments)  # type: ignore[arg-type]


def test_toggles_go_live_at_once(installation: Installation) -> None:
    config = publish(installation, OFF)

    assert (config.number, config.status, override_of(config)) == (1, ConfigStatus.PUBLISHED, OFF)
    (event,) = effective_config(installation).events
    assert not event.enabled


def test_the_draft_that_was_seen_goes_live(installation: Installation) -> None:
    draft = make_draft_config(installation, OFF)

    config = publish(installation, TenantOverride(enabled=False), expected_checksum=draft.checksum)

    assert (config.pk, override_of(config)) == (draft.pk, TenantOverride(enabled=False))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PRIVACY_OFFICER])
def test_who_may_not_publish_leaves_not_even_a_draft(installation: Installation, role: Role) -> None:
    actor = make_actor(role, installation.tenant)
    before = everything_stored()

    with pytest.raises(NotAllowed):
        publish(installation, OFF, actor=actor)

    assert everything_stored() == before


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"change_summary": " "}, InvalidDocument),
        ({"expected_checksum": "0" * 64}, StaleRevision),
        ({"expected_published_number": 7}, StaleRevision),
    ],
)
def test_a_refused_publication_leaves_not_even_a_draft(
    installation: Installation, given: dict[str, object], error: type[Exception]
) -> None:
    before = everything_stored()

    with pytest.raises(error):
        publish(installation, OFF, **given)

    assert everything_stored() == before


def test_what_is_live_already_is_not_published_again(installation: Installation) -> None:
    make_published_config(installation, OFF)

    with pytest.raises(Conflict, match="nothing has changed since version 1 went live"):
        publish(installation, OFF, expected_published_number=1)


def test_what_the_app_says_anyway_is_not_published(installation: Installation) -> None:
    with pytest.raises(Conflict, match="nothing has changed since the app's defaults hold"):
        publish(installation, TenantOverride())


def test_wishes_that_would_loosen_are_refused_with_their_paths(installation: Installation) -> None:
    longer = TenantOverride(events={STEP: EventOverride(retention_days=31)})

    with pytest.raises(InvalidDocument) as error:
        publish(installation, longer)

    assert [(each.code, each.path) for each in error.value.errors] == [("loosens", f'events["{STEP}"].retentionDays')]
    assert not TenantAppConfig.objects.exists()
