"""Events: the catalogue, and the form of one event with its properties and thresholds."""

from typing import Any

import pytest

from telemetry.core.enums import AnomalyAction, PrivacyLevel, PropertyType, RedactionStrategy, RetentionPolicy, TimeUnit
from telemetry.core.spec import (
    AnomalyDetection,
    Deprecation,
    EventDefinition,
    LintOptOut,
    PropertyDefinition,
    Redaction,
    Retention,
    Sampling,
    Semantics,
    Threshold,
)
from telemetry.mappers import event_from_record
from telemetry.models import EventRecord, SpecRecord
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_redaction, make_sigil_spec, make_spec
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
from tests.telemetry.factories import make_draft
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

ADD = "/studio/events/add/"


def rows(prefix: str, *filled: dict[str, Any]) -> dict[str, Any]:
    """New rows of a group, as the browser numbers them."""
    entries = {f"{prefix}-{index}-{name}": value for index, row in enumerate(filled) for name, value in row.items()}
    return {f"{prefix}-TOTAL_FORMS": len(filled), f"{prefix}-INITIAL_FORMS": 0, **entries}


def new_event(record: SpecRecord, **entries: Any) -> dict[str, Any]:
    return {
        "spec_choice": record.pk,
        "name": "order_placed",
        "version": "1",
        "semantics_what": "Order placed",
        "privacy": "pii",
        **entries,
    }


def page(event: EventRecord) -> str:
    return f"/studio/events/{event.pk}/change/"


def stored(name: str, version: int = 1) -> EventDefinition:
    return event_from_record(EventRecord.objects.get(name=name, version=version))


# Adding


def test_a_new_event_has_everything_that_was_filled_in() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)

    response = asked.fill_in(
        ADD,
        new_event(record),
        semantics_who="Customer",
        semantics_why="Revenue",
        tags="funnel\nrevenue",
        retention_days="30",
        retention_policy="archive",
        sampling_rate="0.5",
        sampling_conditions="properties.amount > 10.0\nproperties.currency == 'EUR'",
        anomaly_enabled="true",
        anomaly_minimum_sample="20",
        anomaly_actions=["alert", "log"],
        owners="@team.shop",
        review_by="2027-01-31",
        deprecation_reason="too chatty",
        deprecation_replaced_by="order_placed@2",
        lint_opt_outs="- {rule: sampling_too_low, reason: rare}",
        **rows(
            "properties",
            {"name": "amount", "type": "number", "required": "on", "pii": "false"},
            {"name": "currency", "type": "string", "description": "ISO 4217"},
            {"name": "email", "type": "string", "pii": "true", "redact": "on", "redaction_strategy": "email_domain"},
            {"name": "placedAt", "type": "timestamp", "redaction_strategy": "generalise", "setting": "day"},
            {"name": "zip", "type": "string", "redaction_strategy": "truncate", "setting": "2"},
            {"name": "rating", "type": "number", "allowed_values": "1\n2.5", "unit": "stars"},
        ),
        **rows("thresholds", {"metric": "amount", "min": "1", "max": "5000.5"}),
    )

    event = EventRecord.objects.get(name="order_placed")
    assert (response.status_code, response["Location"]) == (302, page(event))
    assert event_from_record(event) == EventDefinition(
        name="order_placed",
        version=1,
        semantics=Semantics(what="Order placed", who="Customer", why="Revenue"),
        privacy=PrivacyLevel.PII,
        properties={
            "amount": PropertyDefinition(type=PropertyType.NUMBER, required=True, pii=False),
            "currency": PropertyDefinition(type=PropertyType.STRING, description="ISO 4217"),
            "email": PropertyDefinition(
                type=PropertyType.STRING,
                pii=True,
                redact=True,
                redaction=Redaction(strategy=RedactionStrategy.EMAIL_DOMAIN),
            ),
            "placedAt": PropertyDefinition(
                type=PropertyType.TIMESTAMP,
                redaction=Redaction(strategy=RedactionStrategy.GENERALISE, unit=TimeUnit.DAY),
            ),
            "zip": PropertyDefinition(
                type=PropertyType.STRING, redaction=Redaction(strategy=RedactionStrategy.TRUNCATE, length=2)
            ),
            "rating": PropertyDefinition(type=PropertyType.NUMBER, allowed_values=(1, 2.5), unit="stars"),
        },
        retention=Retention(days=30, policy=RetentionPolicy.ARCHIVE),
        sampling=Sampling(rate=0.5, conditions=("properties.amount > 10.0", "properties.currency == 'EUR'")),
        anomaly_detection=AnomalyDetection(
            enabled=True,
            minimum_sample=20,
            thresholds=(Threshold(metric="amount", min=1, max=5000.5),),
            actions=(AnomalyAction.ALERT, AnomalyAction.LOG),
        ),
        tags=("funnel", "revenue"),
        owners=("@team.shop",),
        review_by="2027-01-31",
        deprecation=Deprecation(reason="too chatty", replaced_by="order_placed@2"),
        lint_opt_outs=(LintOptOut(rule="sampling_too_low", reason="rare"),),
    )
    assert actions()[-1] == "spec.event.saved"


def test_what_is_left_empty_is_left_out_of_the_document() -> None:
    record = make_draft()

    visitor(Role.ANALYST).fill_in(ADD, new_event(record))

    assert stored("order_placed") == EventDefinition(
        name="order_placed", version=1, semantics=Semantics(what="Order placed"), privacy=PrivacyLevel.PII
    )


def test_the_form_starts_with_the_spec_that_one_comes_from() -> None:
    record = make_draft()

    shown = visitor(Role.ANALYST).get(ADD, spec=record.pk)

    assert fields_of(shown)["spec_choice"] == str(record.pk)


def test_adding_in_series_leads_to_another_empty_form() -> None:
    record = make_draft()

    response = visitor(Role.ANALYST).fill_in(ADD, new_event(record), _addanother="1")

    assert (response.status_code, response["Location"]) == (302, ADD)


def test_adding_never_replaces_what_is_there() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    taken = new_event(record, name="sigil.telemetry.workflow_step")

    errors = assert_refused(lambda: asked.fill_in(ADD, taken))

    assert errors["__all__"] == ["The draft has version 1 of the event sigil.telemetry.workflow_step already"]


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_specs_adds_no_event(role: Role) -> None:
    record = make_draft()
    asked = visitor(role)

    assert_denied("spec.edit", lambda: asked.post(ADD, new_event(record)))
    assert asked.get(ADD).status_code == 403


@pytest.mark.parametrize(
    ("entries", "field", "message"),
    [
        ({"spec_choice": "999"}, "spec_choice", "Select a valid choice."),
        ({"name": ""}, "name", "This field is required."),
        ({"name": "ünïcode"}, "name", "must"),
        ({"version": "0"}, "version", "at least 1"),
        ({"semantics_what": "x" * 201}, "semantics_what", "at most 200"),
        ({"privacy": "secret"}, "privacy", "Select a valid choice."),
        ({"retention_days": "0"}, "retention_days", "at least 1"),
        ({"retention_days": "99999999"}, "retention_days", "at most 36500"),
        ({"retention_policy": "archive"}, "retention_days", "is required"),
        ({"sampling_rate": "-0.1"}, "sampling_rate", "at least 0"),
        ({"sampling_conditions": "true"}, "sampling_rate", "is required"),
        (
            {"sampling_rate": "1", "sampling_conditions": "true\nproperties.nothing == 1"},
            "sampling_conditions",
            "Line 2",
        ),
        ({"anomaly_minimum_sample": "0"}, "anomaly_minimum_sample", "at least 1"),
        ({"tags": "good\nbad tag"}, "tags", "Line 2"),
        ({"owners": "team"}, "owners", "Line 1"),
        ({"review_by": "tomorrow"}, "review_by", "date"),
        ({"deprecation_replaced_by": "other"}, "deprecation_reason", "is required"),
        ({"lint_opt_outs": "- {rule: x}"}, "lint_opt_outs", "reason: is required"),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field(entries: dict[str, Any], field: str, message: str) -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in(ADD, new_event(record, **entries)))

    assert message.lower() in " ".join(errors[field]).lower()


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ({"name": "", "type": "number"}, "name", "required"),
        ({"name": "né", "type": "string"}, "name", "must"),
        ({"name": "x", "type": "blob"}, "type", "valid choice"),
        ({"name": "x", "type": "string", "redaction_strategy": "truncate"}, "setting", "required by the strategy"),
        ({"name": "x", "type": "string", "redaction_strategy": "truncate", "setting": "many"}, "setting", "must"),
        ({"name": "x", "type": "string", "redaction_strategy": "mask", "setting": "3"}, "setting", "belongs to"),
        (
            {"name": "x", "type": "number", "redaction_strategy": "generalise", "setting": "day"},
            "setting",
            "belongs to",
        ),
        ({"name": "x", "type": "timestamp", "redaction_strategy": "generalise", "setting": "eon"}, "setting", "one of"),
        ({"name": "x", "type": "boolean", "redaction_strategy": "hash"}, "redaction_strategy", "can hide"),
        ({"name": "x", "type": "string", "description": "x" * 4001}, "description", "at most 4000"),
        ({"name": "x", "type": "number", "allowed_values": "1\nmany"}, "allowed_values", "must be"),
        ({"name": "x", "type": "string", "unit": "ms"}, "unit", "belongs to"),
    ],
)
def test_what_a_property_breaks_is_said_in_its_row(row: dict[str, Any], field: str, message: str) -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    good = {"name": "fine", "type": "string"}

    errors = assert_refused(lambda: asked.fill_in(ADD, new_event(record), **rows("properties", good, row)))

    assert set(errors) == {f"properties-1-{field}"}
    assert message in errors[f"properties-1-{field}"][0].lower()


def test_two_properties_of_one_name_are_refused() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    twice = {"name": "amount", "type": "number"}

    errors = assert_refused(lambda: asked.fill_in(ADD, new_event(record), **rows("properties", twice, twice)))

    assert errors == {"properties-1-name": ["This name is in the list already."]}


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ({"metric": "nothing", "min": "1"}, "metric", "declared property"),
        ({"metric": "amount"}, "metric", "min, max or both"),
        ({"metric": "amount", "min": "5", "max": "1"}, "min", "more than max"),
        ({"metric": "amount", "min": "inf"}, "min", "enter a number"),
    ],
)
def test_what_a_threshold_breaks_is_said_in_its_row(row: dict[str, Any], field: str, message: str) -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    parts = {**rows("properties", {"name": "amount", "type": "number"}), **rows("thresholds", row)}

    errors = assert_refused(lambda: asked.fill_in(ADD, new_event(record), **parts))

    assert set(errors) == {f"thresholds-0-{field}"}
    assert message in errors[f"thresholds-0-{field}"][0].lower()


def test_a_request_without_the_rows_management_is_refused() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)

    response = asked.post(ADD, new_event(record))

    assert response.status_code == 200
    assert EventRecord.objects.count() == 1


# Editing


def test_a_form_that_is_sent_as_it_is_changes_nothing() -> None:
    rich = make_event(
        "rich",
        privacy=PrivacyLevel.SENSITIVE,
        properties={
            "zip": make_property(redaction=make_redaction("truncate", length=2)),
            "amount": make_property("number", redaction=make_redaction("generalise", bucket=100.0)),
            "at": make_property("timestamp", pii=False, redaction=make_redaction("generalise", unit=TimeUnit.MONTH)),
            "Product Id": make_property(required=True, description="As in the catalogue"),
            "currency": make_property(allowed_values=("EUR", "USD")),
            "durationMs": make_property("number", allowed_values=(1.0, 2.5), unit="ms"),
        },
        owners=("@team.shop",),
        review_by="2027-01-31",
        deprecation=Deprecation(reason="too chatty", replaced_by="quiet@2"),
        lint_opt_outs=(LintOptOut(rule="sampling_too_low", reason="rare", until="2027-06-30"),),
        retention=Retention(days=7),
        sampling=Sampling(rate=0.25, conditions=("properties.amount > 1.0",)),
        anomaly_detection=AnomalyDetection(enabled=False, thresholds=(Threshold(metric="amount", max=2.5),)),
        tags=("one",),
    )
    make_draft(make_spec(rich))
    event = EventRecord.objects.get()

    visitor(Role.ANALYST).fill_in(page(event))

    assert stored("rich") == rich
    assert SpecRecord.objects.get().draft_revision == 1


def test_properties_are_changed_removed_and_added_in_one_go() -> None:
    make_draft()
    event = EventRecord.objects.get()
    asked = visitor(Role.ANALYST)
    opened = fields_of(asked.get(page(event)))
    more = {"properties-4-name": "outcome", "properties-4-type": "string", "properties-TOTAL_FORMS": 5}

    response = asked.post(page(event), {**opened, **more, "properties-0-DELETE": "on", "properties-1-name": "stage"})

    assert response.status_code == 302
    assert list(stored(event.name).properties) == ["stage", "durationMs", "userId", "outcome"]


def test_an_event_keeps_its_row_and_place_when_it_is_renamed() -> None:
    make_draft(make_spec(make_event("first"), make_event("second")))
    event = EventRecord.objects.get(name="first")

    visitor(Role.ANALYST).fill_in(page(event), name="renamed", version="2")

    event.refresh_from_db()
    assert (event.name, event.version, event.position) == ("renamed", 2, 0)


def test_a_name_that_another_event_has_is_refused() -> None:
    make_draft(make_spec(make_event("first"), make_event("second")))
    event = EventRecord.objects.get(name="first")
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in(page(event), name="second"))

    assert errors["__all__"] == ["The draft has version 1 of the event second already"]


def test_what_somebody_else_saved_is_not_overwritten_by_accident_but_can_be_on_purpose() -> None:
    make_draft()
    event = EventRecord.objects.get()
    ana, ben = visitor(Role.ANALYST), visitor(Role.ANALYST)
    opened = fields_of(ana.get(page(event)))
    ben.fill_in(page(event), semantics_what="Of Ben")

    refused = ana.post(page(event), {**opened, "semantics_what": "Of Ana"})

    assert "Somebody else saved this" in errors_in(refused)["__all__"][0]
    assert stored(event.name).semantics.what == "Of Ben"
    ana.post(page(event), fields_of(refused))
    assert stored(event.name).semantics.what == "Of Ana"


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_only_look_sees_everything_and_changes_nothing(role: Role) -> None:
    make_draft()
    event = EventRecord.objects.get()
    asked = visitor(role)

    shown = asked.get(page(event))

    assert "durationMs" in text_of(shown)
    assert 'value="Workflow step executed"' in shown.content.decode()
    assert_denied("spec.edit", lambda: asked.post(page(event), name="mine"))


# Removing


def test_an_event_leaves_the_draft_after_a_question() -> None:
    record = make_draft()
    event = EventRecord.objects.get()
    asked = visitor(Role.ANALYST)

    question = asked.get(f"/studio/events/{event.pk}/remove/")
    response = asked.post(f"/studio/events/{event.pk}/remove/")

    assert "Remove sigil.telemetry.workflow_step@1" in text_of(question)
    assert (response.status_code, response["Location"]) == (302, f"/studio/specs/{record.pk}/change/")
    assert not EventRecord.objects.exists()
    assert actions()[-1] == "spec.event.deleted"


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_specs_removes_none(role: Role) -> None:
    make_draft()
    event = EventRecord.objects.get()
    asked = visitor(role)

    assert_denied("spec.edit", lambda: asked.post(f"/studio/events/{event.pk}/remove/"))
    assert EventRecord.objects.filter(pk=event.pk).exists()


def test_a_question_alone_removes_nothing() -> None:
    make_draft()
    event = EventRecord.objects.get()

    visitor(Role.ANALYST).get(f"/studio/events/{event.pk}/remove/")

    assert EventRecord.objects.filter(pk=event.pk).exists()


# The catalogue


def test_the_catalogue_finds_events_by_name_meaning_and_property() -> None:
    make_draft(make_spec(make_event("login", semantics=Semantics(what="Somebody came in")), make_event("logout")))
    make_draft(make_spec(make_event("pay", properties={"iban": make_property()}), name="shop"))
    asked = visitor(Role.VIEWER)

    for text, found in {"LOGIN": "login", "came in": "login", "iban": "pay"}.items():
        page_text = text_of(asked.get("/studio/events/", q=text))
        assert f"{found} @1" in page_text
        assert "1 of 3" in page_text


def test_the_catalogue_shows_the_events_of_one_spec_or_level() -> None:
    make_draft()
    shop = make_draft(make_spec(make_event("pay", privacy=PrivacyLevel.SENSITIVE), name="shop"))
    asked = visitor(Role.VIEWER)

    of_shop = text_of(asked.get("/studio/events/", spec__id__exact=shop.pk))
    sensitive = text_of(asked.get("/studio/events/", privacy__exact="sensitive"))

    assert "pay @1" in of_shop
    assert "workflow_step" not in of_shop
    assert "pay @1" in sensitive
    assert "workflow_step" not in sensitive


def test_people_of_one_tenant_see_the_specs_that_they_obey() -> None:
    make_draft(make_sigil_spec())

    text = text_of(visitor(Role.VIEWER, make_tenant()).get("/studio/events/"))

    assert "sigil.telemetry.workflow_step" in text


def test_text_of_an_event_is_text_and_never_markup() -> None:
    make_draft(make_spec(make_event("x", semantics=Semantics(what="<script>alert(1)</script>"))))
    event = EventRecord.objects.get()
    asked = visitor(Role.ANALYST)

    for address in ("/studio/events/", page(event), f"/studio/specs/{event.spec_id}/change/"):
        assert "<script>alert(1)" not in asked.get(address).content.decode()
