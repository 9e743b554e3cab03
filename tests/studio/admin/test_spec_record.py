"""Specs: adding a draft, and editing its meta and defaults."""

from typing import Any

import pytest

from telemetry.core.codec import convert_document
from telemetry.core.spec import Quarantine, Semantics, TelemetryDefaults, TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_meta, make_sigil_spec, make_spec
from tests.studio.visitors import (
    actions,
    assert_denied,
    assert_refused,
    errors_in,
    fields_of,
    roles_without,
    text_of,
    visitor,
)
from tests.telemetry.factories import make_draft, make_published
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

NEW = {"name": "shop.checkout", "title": "Checkout", "version": "1", "stability": "stable"}


def page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/change/"


def the_draft(name: str = "sigil.telemetry") -> TelemetrySpec:
    return spec_from_records(SpecRecord.objects.get(name=name))


# Adding


def test_a_new_spec_is_a_draft_with_what_was_filled_in() -> None:
    asked = visitor(Role.ANALYST)

    response = asked.fill_in(
        "/studio/specs/add/",
        NEW,
        owners="@team.shop\n\n  @dpo  \n",
        tags="funnel",
        default_retention_days="90",
        default_sampling_rate="0.5",
        providers="- type: posthog\n  config: {projectApiKey: '${POSTHOG_KEY}'}",
        context_properties="plan: {type: string}",
        anomaly_enabled="false",
        quarantine_enabled="true",
        quarantine_days="3",
        mask_detected="true",
    )

    record = SpecRecord.objects.get(name="shop.checkout")
    assert (response.status_code, response["Location"]) == (302, page(record))
    spec = the_draft("shop.checkout")
    assert spec.meta == make_meta(
        "shop.checkout", title="Checkout", stability="stable", owners=("@team.shop", "@dpo"), tags=("funnel",)
    )
    assert spec.config is not None
    assert (spec.config.default_retention_days, spec.config.default_sampling_rate) == (90, 0.5)
    assert [provider.type for provider in spec.config.providers] == ["posthog"]
    assert list(spec.config.context_properties) == ["plan"]
    assert spec.config.anomaly_detection is not None
    assert not spec.config.anomaly_detection.enabled
    assert spec.config.quarantine == Quarantine(enabled=True, days=3)
    assert spec.config.mask_detected is True
    assert actions()[-1] == "spec.created"


def test_a_spec_without_defaults_has_no_config_section() -> None:
    visitor(Role.ANALYST).fill_in("/studio/specs/add/", NEW)

    assert the_draft("shop.checkout").config is None


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_specs_adds_none(role: Role) -> None:
    asked = visitor(role)

    assert_denied("spec.edit", lambda: asked.post("/studio/specs/add/", NEW))
    assert asked.get("/studio/specs/add/").status_code == 403


def test_a_role_in_one_tenant_edits_no_spec_because_specs_are_everybodys() -> None:
    asked = visitor(Role.ADMIN, make_tenant())

    assert_denied("spec.edit", lambda: asked.post("/studio/specs/add/", NEW))


@pytest.mark.parametrize(
    ("entries", "field", "message"),
    [
        ({"name": ""}, "name", "This field is required."),
        ({"name": "Not A Name"}, "name", "lower-case words"),
        ({"title": ""}, "title", "This field is required."),
        ({"title": "x" * 201}, "title", "at most 200"),
        ({"version": "0"}, "version", "at least 1"),
        ({"version": "1.5"}, "version", "Enter a whole number."),
        ({"owners": "@dpo\nteam"}, "owners", "Line 2: "),
        ({"stability": "rock-solid"}, "stability", "Select a valid choice."),
        ({"default_retention_days": "-1"}, "default_retention_days", "at least 1"),
        ({"default_sampling_rate": "7.5"}, "default_sampling_rate", "at most 1"),
        ({"default_sampling_rate": "nan"}, "default_sampling_rate", "Enter a number."),
        ({"anomaly_check_interval_ms": "5"}, "anomaly_check_interval_ms", "at least 1000"),
        ({"providers": "- type: carrier-pigeon"}, "providers", "one of: posthog"),
        ({"providers": "- [unclosed"}, "providers", "is not valid YAML"),
        ({"context_properties": "plan: {typo: string}"}, "context_properties", "unknown key"),
        ({"description": "a\x00b"}, "description", "Null characters are not allowed."),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field_and_nothing_is_stored(
    entries: dict[str, Any], field: str, message: str
) -> None:
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in("/studio/specs/add/", {**NEW, **entries}))

    assert message in " ".join(errors[field])


def test_a_name_that_is_taken_is_refused() -> None:
    make_draft(make_spec(name="shop.checkout"))
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in("/studio/specs/add/", NEW))

    assert errors["__all__"] == ["A spec with the name shop.checkout exists already"]


# Editing


def test_a_change_of_the_texts_moves_the_draft_and_leaves_its_events() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)

    response = asked.fill_in(page(record), title="New title", default_retention_days="")

    assert (response.status_code, response["Location"]) == (302, page(record))
    spec = the_draft()
    assert spec.meta.title == "New title"
    assert spec.config is not None
    assert spec.config.default_retention_days is None
    assert spec.events == make_sigil_spec().events
    assert actions()[-1] == "spec.meta.saved"


def test_saving_without_a_change_leaves_the_draft_as_it_was() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)

    asked.fill_in(page(record))

    assert the_draft() == make_sigil_spec()
    assert SpecRecord.objects.get().draft_revision == 1


def test_the_page_shows_events_and_what_can_be_done() -> None:
    record = make_published().spec

    response = visitor(Role.PUBLISHER).get(page(record))

    text = text_of(response)
    assert "sigil.telemetry.workflow_step@1" in text
    assert "Workflow step executed" in text
    titles = [deed.title for deed in response.context["head"].deeds]
    assert titles == ["New event", "Import", "YAML", "JSON", "Clone"]


def test_the_page_counts_what_changed_since_the_published_version() -> None:
    record = make_published().spec
    asked = visitor(Role.PUBLISHER)
    asked.fill_in(page(record), title="Of Ana", default_sampling_rate="0.5")

    response = asked.get(page(record))

    assert "2 changes since version 1: 1 risky, 1 safe" in text_of(response)
    assert f"/studio/specs/{record.pk}/compare/" in response.content.decode()


def test_the_draft_stands_beside_the_version_that_was_published_last() -> None:
    make_published(make_spec(*(make_event(f"step{number}") for number in range(8)), name="many"))
    record = SpecRecord.objects.get(name="many")
    asked = visitor(Role.ANALYST)
    assert "Draft beside" not in text_of(asked.get(page(record)))

    with tenant_context(ALL):
        for number in range(7):
            changed = make_event(f"step{number}", semantics=Semantics(what="Said anew"))
            save_event(actor=SYSTEM, spec_name="many", event=changed)

    shown = asked.get(page(record))
    assert "Draft beside version 1 7 changes" in text_of(shown)
    assert [group.title for group in shown.context["groups"]] == [f"step{number}@1" for number in range(5)]
    assert "Compare all of it: 2 more parts" in text_of(shown)


def test_the_page_of_a_spec_that_never_was_published_compares_nothing() -> None:
    record = make_draft()

    assert "Nothing is published yet" in text_of(visitor(Role.VIEWER).get(page(record)))


def test_publishing_is_offered_when_there_is_something_to_publish() -> None:
    record = make_draft()

    assert f"/studio/specs/{record.pk}/publish/" in visitor(Role.PUBLISHER).get(page(record)).content.decode()
    assert f"/studio/specs/{record.pk}/publish/" not in visitor(Role.ANALYST).get(page(record)).content.decode()


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_only_look_sees_the_values_and_changes_none(role: Role) -> None:
    record = make_draft()
    asked = visitor(role)
    shown = asked.get(page(record))

    assert 'value="Sigil telemetry"' in shown.content.decode()
    assert {name.split("-")[0] for name in fields_of(shown)} == {"events"}
    assert_denied("spec.edit", lambda: asked.post(page(record), title="Mine", version="1", stability="stable"))


def test_defaults_that_break_an_event_are_refused_with_the_events_path() -> None:
    condition = {"sampling": {"rate": 1, "conditions": ["context.metadata.plan == 'pro'"]}}
    spec = convert_document(
        {
            "meta": {"name": "sigil.telemetry", "version": 1, "title": "Sigil"},
            "config": {"contextProperties": {"plan": {"type": "string"}}},
            "events": [{"name": "step", "version": 1, "semantics": {"what": "x"}, "privacy": "public", **condition}],
        },
        TelemetrySpec,
        what="spec",
    )
    record = make_draft(spec)
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in(page(record), context_properties=""))

    assert errors["__all__"][0].startswith("events[0].sampling.conditions[0]: ")


def test_a_published_version_number_cannot_be_taken_again() -> None:
    record = make_published().spec
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in(page(record), version="1"))

    assert errors == {"version": ["Must be at least 2: the versions before it are published"]}


def test_what_somebody_else_saved_is_not_overwritten_by_accident_but_can_be_on_purpose() -> None:
    record = make_draft()
    ana, ben = visitor(Role.ANALYST), visitor(Role.ANALYST)
    opened = fields_of(ana.get(page(record)))
    ben.fill_in(page(record), title="Of Ben")

    refused = ana.post(page(record), {**opened, "title": "Of Ana"})

    assert "Somebody else saved this" in errors_in(refused)["__all__"][0]
    assert the_draft().meta.title == "Of Ben"
    assert fields_of(refused)["title"] == "Of Ana"
    ana.post(page(record), fields_of(refused))
    assert the_draft().meta.title == "Of Ana"


def test_a_form_without_its_revision_is_refused() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    opened = fields_of(asked.get(page(record)))

    errors = assert_refused(lambda: asked.post(page(record), {**opened, "expected_revision": ""}))

    assert list(errors) == ["expected_revision"]


def test_a_page_with_many_events_takes_as_many_queries_as_one_with_few() -> None:
    small = make_draft(make_spec(make_event("one"), name="small"))
    large = make_draft(make_spec(*(make_event(f"event{i}") for i in range(40)), name="large"))
    asked = visitor(Role.ANALYST)

    assert asked.cost_of(page(large)) == asked.cost_of(page(small))


def test_a_spec_can_be_found_by_its_title_and_by_what_waits() -> None:
    make_published()
    make_draft(TelemetrySpec(meta=make_meta("shop", title="Checkout"), config=TelemetryDefaults()))
    asked = visitor(Role.VIEWER)

    assert "Sigil telemetry" not in text_of(asked.get("/studio/specs/", q="checkout")).split("Filters")[-1]
    waiting = text_of(asked.get("/studio/specs/", draft="changed"))
    assert "Checkout" in waiting
    assert "1 spec" in waiting
