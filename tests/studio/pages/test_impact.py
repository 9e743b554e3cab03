"""The blast radius of a publication, on its own page and beside the button that publishes."""

from typing import Any

import pytest

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.core.spec import Retention, Sampling, Semantics
from telemetry.models import EventRecord, SpecRecord, SpecVersion
from telemetry.services.specs import delete_event, save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import Visitor, fields_of, text_of, visitor
from tests.telemetry.factories import make_draft, make_published
from tests.tenants import factories as tenants

pytestmark = pytest.mark.django_db


def page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/impact/"


def published() -> SpecRecord:
    record = make_published(make_spec(make_event("step"), make_event("other"), name="shop")).spec
    return SpecRecord.objects.get(pk=record.pk)


def bind(*slugs: str, override: TenantOverride | None = None) -> None:
    """One app, installed at each of these tenants."""
    app = App.objects.filter(slug="shop").first() or tenants.make_app(
        "shop", blueprint=AppBlueprint(spec=SpecPointer(name="shop"))
    )
    for slug in slugs:
        installation = tenants.make_installation(tenants.make_tenant(slug), app)
        if override is not None:
            tenants.make_published_config(installation, override)


def without_step(record: SpecRecord) -> None:
    with tenant_context(ALL):
        delete_event(actor=SYSTEM, spec_name=record.name, event_name="step", event_version=1)


def change(record: SpecRecord, **fields: Any) -> None:
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("step", **fields))


def test_an_override_of_an_event_that_goes_is_named_with_its_installation() -> None:
    record = published()
    bind("acme", override=TenantOverride(events={"step": EventOverride(enabled=False)}))
    without_step(record)

    text = text_of(visitor(Role.VIEWER).get(page(record)))

    assert "1 installation is bound to this spec: 1 affected, 0 not." in text
    assert "shop at acme production" in text
    assert "orphaned tenant.events.step" in text
    assert "loses step@1" in text


def test_what_a_config_gains_loses_and_changes_is_said_in_values() -> None:
    record = published()
    bind("acme")
    change(record, retention=Retention(days=7))
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("third"))

    text = text_of(visitor(Role.VIEWER).get(page(record)))

    assert "changes step@1 retention.days 30 \N{RIGHTWARDS ARROW} becomes 7" in text
    assert "gains third@1" in text


def test_installations_that_are_alike_stand_together() -> None:
    record = published()
    bind("acme", "globex", "initech")
    without_step(record)

    response = visitor(Role.VIEWER).get(page(record))

    [group] = response.context["impact_groups"]
    assert [place.tenant for place in group.installations] == ["acme", "globex", "initech"]
    assert "the same at 3 installations" in text_of(response)


def test_one_kind_can_be_picked() -> None:
    record = published()
    bind("acme", override=TenantOverride(events={"step": EventOverride(enabled=False)}))
    bind("globex")
    without_step(record)
    asked = visitor(Role.VIEWER)

    orphaned = asked.get(page(record), kind="orphaned")
    floored = asked.get(page(record), kind="below_floor")

    assert [(word, count) for word, count, _, _ in orphaned.context["filters"]] == [
        ("all", 2),
        ("orphaned", 1),
        ("contradictory", 0),
        ("weaker than the floor", 0),
        ("gain or lose", 2),
    ]
    assert [place.tenant for group in orphaned.context["impact_groups"] for place in group.installations] == ["acme"]
    assert "Publishing makes nothing weaker than the floor" in text_of(floored)


def test_a_draft_without_changes_does_nothing() -> None:
    assert "Nothing would happen" in text_of(visitor(Role.VIEWER).get(page(published())))


def test_a_spec_that_nobody_obeys_affects_nobody() -> None:
    record = published()
    without_step(record)

    assert "No installation is bound to this spec" in text_of(visitor(Role.VIEWER).get(page(record)))


def test_a_draft_that_breaks_rules_is_not_judged() -> None:
    # What was saved under an older rule: no form lets it in today.
    record = make_draft(make_spec(make_event("step", sampling=Sampling(rate=1.0))))
    EventRecord.objects.update(sampling_conditions=["properties.nothing == 1"])

    assert "The draft breaks rules" in text_of(visitor(Role.VIEWER).get(page(record)))


@pytest.mark.parametrize("query", [{"kind": "worst"}, {"page": "x"}, {"page": "-1"}, {"page": "9" * 30}, {"page": "7"}])
def test_no_query_breaks_the_page(query: dict[str, str]) -> None:
    record = published()
    bind("acme")
    without_step(record)

    assert len(visitor(Role.VIEWER).get(page(record), **query).context["impact_groups"]) == 1


def test_long_lists_come_in_pages() -> None:
    record = published()
    bind(*(f"tenant{number:02}" for number in range(27)))
    without_step(record)
    asked = visitor(Role.VIEWER)

    [first], [second] = (asked.get(page(record), page=number).context["impact_groups"] for number in ("1", "2"))

    assert (len(first.installations), len(second.installations)) == (25, 2)


def test_who_sees_one_tenant_only_is_not_shown_what_happens_to_others() -> None:
    record = published()
    asked = visitor(Role.ADMIN, tenants.make_tenant())

    assert asked.get(page(record)).status_code == 403
    assert page(record) not in asked.get(f"/studio/specs/{record.pk}/change/").content.decode()


@pytest.mark.parametrize("role", list(Role))
def test_every_role_in_the_workspace_sees_it(role: Role) -> None:
    assert visitor(role).get(page(published())).status_code == 200


def test_many_installations_take_as_many_queries_as_one() -> None:
    record = published()
    bind("acme")
    without_step(record)
    asked = visitor(Role.VIEWER)
    one = asked.cost_of(page(record))

    bind("globex", "initech", override=TenantOverride(events={"step": EventOverride(enabled=False)}))

    assert asked.cost_of(page(record)) == one


# Beside the button that publishes


def publish_page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/publish/"


def test_the_publish_page_shows_changes_and_blast_radius() -> None:
    record = published()
    bind(*(f"tenant{number}" for number in range(7)))
    change(record, semantics=Semantics(what="Said better"), retention=Retention(days=7))

    text = text_of(visitor(Role.PUBLISHER).get(publish_page(record)))

    assert "7 installations are bound to this spec: 7 affected, 0 not." in text
    assert "See 2 more affected installations" in text
    assert "2 changes: 1 risky, 1 safe since version 1" in text


def conflict(record: SpecRecord, first: Visitor, second: Visitor) -> Any:
    """Both look at the draft, the first publishes, the second is too late."""
    opened = fields_of(second.get(publish_page(record)))
    first.fill_in(publish_page(record), change_summary="Of the first")
    return second.post(publish_page(record), {**opened, "change_summary": "Of the second"})


def test_who_publishes_second_is_told_who_was_first_and_what_to_do() -> None:
    record = published()
    change(record, semantics=Semantics(what="Said better"))
    first, second = visitor(Role.PUBLISHER), visitor(Role.PUBLISHER)

    response = conflict(record, first, second)

    assert response.status_code == 409
    text = text_of(response)
    assert f"{first.username} published version 2 first" in text
    assert "Their summary Of the first Your summary Of the second" in text
    assert "what you looked at is in version 2" in text
    assert list(SpecVersion.objects.order_by("version").values_list("change_summary", flat=True)) == [
        "Published by a test",
        "Of the first",
    ]


def test_a_draft_that_moved_on_after_the_other_publication_is_compared_with_it() -> None:
    record = published()
    change(record, semantics=Semantics(what="Said better"))
    first, second = visitor(Role.PUBLISHER), visitor(Role.PUBLISHER)
    opened = fields_of(second.get(publish_page(record)))
    first.fill_in(publish_page(record), change_summary="Of the first")
    change(record, semantics=Semantics(what="Said even better"))

    response = second.post(publish_page(record), {**opened, "change_summary": "Of the second"})

    assert response.status_code == 409
    assert "the draft has changes that version 2 does not have" in text_of(response)
    assert f"/studio/specs/{record.pk}/compare/?before=2&amp;after=draft" in response.content.decode()
