"""The event editor beside its form: the live preview, and the buttons that change entries and save nothing."""

from typing import Any

import pytest

from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy
from telemetry.core.spec import AnomalyDetection, LintOptOut, Retention, Sampling, TelemetryDefaults, Threshold
from telemetry.models import EventRecord, SpecRecord
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.studio.visitors import Visitor, assert_denied, errors_in, fields_of, roles_without, text_of, visitor
from tests.telemetry.factories import everything_stored, make_days, make_draft, make_installation

pytestmark = pytest.mark.django_db

ADD = "/studio/events/add/"
PREVIEW_NEW = "/studio/events/preview/"


def page(event: EventRecord) -> str:
    return f"/studio/events/{event.pk}/change/"


def preview(event: EventRecord) -> str:
    return f"/studio/events/{event.pk}/preview/"


def opened(asked: Visitor, event: EventRecord) -> dict[str, Any]:
    return fields_of(asked.get(page(event)))


def seed() -> EventRecord:
    make_draft()
    return EventRecord.objects.get()


# The preview


def test_the_page_shows_a_payload_before_and_after() -> None:
    event = seed()

    shown = visitor(Role.VIEWER).get(page(event))

    editor = shown.context["editor"]
    assert '"userId": "user-123"' in editor.example.text
    assert [(row.name, row.after, row.hidden_by) for row in editor.example.rows] == [
        ("workflow", '"example text"', ""),
        ("step", '"example text"', ""),
        ("durationMs", "1234", ""),
        ("userId", '"REDACTED"', "mask"),
    ]


def test_the_preview_follows_the_level_and_stores_nothing() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    entries = opened(asked, event)
    before = everything_stored()

    answer = asked.post(preview(event), {**entries, "privacy": "pii"})

    assert answer.status_code == 200
    assert 'workflow "REDACTED" visibility_offmask level pii' in text_of(answer)
    assert everything_stored() == before


def test_the_preview_follows_flags_strategies_and_the_payload_that_was_typed() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    entries = {
        **opened(asked, event),
        "properties-1-redaction_strategy": "truncate",
        "properties-1-setting": "3",
        "properties-3-redaction_strategy": "drop",
        "example": '{"workflow": "onboarding", "step": "verify_email", "userId": "user-9"}',
    }

    text = text_of(asked.post(preview(event), entries))

    assert 'step "ver" visibility_offtruncate its own rule' in text
    assert "userId left out visibility_offdrop personal data" in text


def test_an_example_that_nobody_touched_follows_the_properties() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    entries = opened(asked, event)
    example = asked.get(page(event)).context["editor"].example.text
    renamed = {"properties-0-name": "flow", "example": example.replace("\n", "\r\n"), "example_generated": example}

    editor = asked.post(preview(event), {**entries, **renamed}).context["editor"]

    assert '"flow": "example text"' in editor.example.text
    assert editor.example.rows[0].name == "flow"


@pytest.mark.parametrize(
    ("example", "said"),
    [
        ('{"workflow": ', "The example is no JSON that can be read (line 1, column 14)."),
        ("[1]", "The example must be a JSON object"),
        ("[" * 20_001, "more than 20000 characters"),
        ('{"step": "x"}', "An app that sends this is refused. properties.workflow is required"),
        ('{"workflow": 1, "step": "x"}', "properties.workflow"),
    ],
)
def test_an_example_that_cannot_be_shown_says_why(example: str, said: str) -> None:
    event = seed()
    asked = visitor(Role.ANALYST)

    answer = asked.post(preview(event), {**opened(asked, event), "example": example})

    assert answer.status_code == 200
    assert said in text_of(answer)


def test_what_the_spec_says_about_undeclared_values_counts() -> None:
    make_draft(make_spec(make_event("step"), config=TelemetryDefaults(undeclared_properties=UndeclaredPolicy.KEEP)))
    event = EventRecord.objects.get()
    asked = visitor(Role.ANALYST)

    answer = asked.post(preview(event), {**opened(asked, event), "example": '{"step": "a", "extra": "b"}'})

    assert 'extra "b"' in text_of(answer)


# Findings and problems


def test_broken_rules_are_listed_with_their_field_and_mark_their_tab() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    entries = {
        **opened(asked, event),
        "properties-3-redaction_strategy": "truncate",
        "thresholds-0-metric": "nothing",
    }

    editor = asked.post(preview(event), entries).context["editor"]

    assert [(problem.tab, problem.target) for problem in editor.problems] == [
        ("properties", "id_properties-3-setting"),
        ("anomalies", "id_thresholds-0-metric"),
    ]
    assert {tab.key: tab.problems for tab in editor.tabs if tab.problems} == {
        "properties": 1,
        "anomalies": 1,
    }
    assert editor.findings == ()


def test_a_condition_of_the_wrong_type_is_pointed_at_in_its_row() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    wrong = ["properties.durationMs > 100", "properties.nothing == 1"]
    entries = {**opened(asked, event), "sampling_rate": "0.5", "sampling_conditions": wrong}

    problem = asked.post(preview(event), entries).context["editor"].problems[0]
    saved = asked.post(page(event), entries)

    assert (problem.target, problem.label) == ("id_sampling_conditions_1", "Condition 2")
    assert "column" in problem.message
    rows = saved.context["editor"].conditions
    assert [row.text for row in rows] == [*wrong, ""]
    assert (rows[0].error, rows[2].error) == ("", "")
    assert rows[1].error == problem.message
    assert rows[1].pointer.endswith("^")


def test_findings_are_about_this_event_alone_and_the_worst_comes_first() -> None:
    bad = make_event("bad", properties={"email": make_property()}, sampling=Sampling(rate=0.001))
    make_draft(make_spec(make_event("other", properties={"phone": make_property()}), bad))
    event = EventRecord.objects.get(name="bad")

    findings = visitor(Role.VIEWER).get(page(event)).context["editor"].findings

    severities = [each.finding.severity for each in findings]
    assert severities == sorted(severities, key=["error", "warning", "info"].index)
    assert {"properties.email"} <= {each.finding.path for each in findings}
    assert not any("phone" in each.finding.path or "phone" in each.finding.message for each in findings)
    assert {each.tab for each in findings} >= {"properties", "sampling"}


def test_a_finding_leads_to_its_field_and_to_the_page_of_its_rule() -> None:
    watched = AnomalyDetection(thresholds=(Threshold(metric="durationMs", max=1), Threshold(metric="email", max=1)))
    bad = make_event(
        properties={
            "durationMs": make_property("number", pii=True),
            "email": make_property("number"),
            "Product Id": make_property(),
        },
        sampling=Sampling(rate=0.001, conditions=("true",)),
        anomaly_detection=watched,
    )
    make_draft(make_spec(bad))
    asked = visitor(Role.ANALYST)

    findings = asked.get(page(EventRecord.objects.get())).context["editor"].findings

    targets = {each.finding.path: each.target for each in findings}
    expected = {
        "semantics": "",
        "properties.email": "id_properties-1-name",
        'properties["Product Id"]': "id_properties-2-name",
        "sampling.rate": "id_sampling_rate",
        "sampling.conditions[0]": "id_sampling_conditions_0",
        "anomalyDetection.thresholds[0].metric": "id_thresholds-0-metric",
    }
    assert {path: targets.get(path) for path in expected} == expected
    assert {each.rule_address for each in findings} == {f"/studio/lint-rules/{each.finding.rule}/" for each in findings}


def test_an_opt_out_silences_its_finding_at_once() -> None:
    make_draft(make_spec(make_event("rare", sampling=Sampling(rate=0.001))))
    event = EventRecord.objects.get()
    asked = visitor(Role.ANALYST)
    rule = next(each for each in asked.get(page(event)).context["editor"].findings if each.tab == "sampling")
    opt_out = LintOptOut(rule=rule.finding.rule, reason="rare")

    entries = {**opened(asked, event), "lint_opt_outs": f"- {{rule: {opt_out.rule}, reason: {opt_out.reason}}}"}
    findings = asked.post(preview(event), entries).context["editor"].findings

    assert rule.finding.rule not in [each.finding.rule for each in findings]


def test_a_new_event_is_previewed_before_it_exists() -> None:
    record = make_draft(make_spec(make_event("other")))
    asked = visitor(Role.ANALYST)
    entries = {
        **fields_of(asked.get(ADD, spec=record.pk)),
        "name": "signed_up",
        "semantics_what": "Signed up",
        "properties-TOTAL_FORMS": 1,
        "properties-0-name": "email",
        "properties-0-type": "string",
        "properties-0-redact": "on",
    }

    editor = asked.post(PREVIEW_NEW, entries).context["editor"]
    taken = asked.post(PREVIEW_NEW, {**entries, "name": "other"}).context["editor"]

    assert editor.was_judged
    assert [(row.name, row.after) for row in editor.example.rows] == [("email", '"REDACTED"')]
    assert [problem.message for problem in taken.problems] == ["The draft has version 1 of the event other already"]
    assert EventRecord.objects.count() == 1


def test_a_half_filled_new_event_shows_what_is_missing_and_still_a_preview() -> None:
    make_draft()
    asked = visitor(Role.ANALYST)
    entries = {
        **fields_of(asked.get(ADD)),
        "properties-TOTAL_FORMS": 2,
        "properties-0-name": "zip",
        "properties-0-type": "string",
        "properties-0-redaction_strategy": "truncate",
        "properties-1-type": "number",
        "properties-1-unit": "ms",
    }

    editor = asked.post(PREVIEW_NEW, entries).context["editor"]

    assert not editor.was_judged
    assert {"id_name", "id_semantics_what", "id_properties-1-name"} <= {each.target for each in editor.problems}
    assert [(row.name, row.after) for row in editor.example.rows] == [("zip", '"REDACTED"')]


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_gets_no_preview_of_entries(role: Role) -> None:
    event = seed()
    asked = visitor(role)

    assert_denied("spec.edit", lambda: asked.post(preview(event), {"privacy": "public"}))
    assert_denied("spec.edit", lambda: asked.post(PREVIEW_NEW, {}))
    assert_denied("spec.edit", lambda: asked.post(page(event), {"_check": "1"}))


@pytest.mark.parametrize("address", ["/studio/events/999/preview/", "/studio/events/x/preview/"])
def test_an_event_that_does_not_exist_has_no_preview(address: str) -> None:
    assert visitor(Role.ANALYST).post(address, {}).status_code == 404


def test_a_preview_is_asked_for_with_entries_only() -> None:
    event = seed()

    assert visitor(Role.ANALYST).get(preview(event)).status_code == 405


@pytest.mark.parametrize(
    "entries",
    [
        {},
        {"privacy": "secret", "version": "x", "spec_choice": "\x00"},
        {"properties-TOTAL_FORMS": "-1", "properties-INITIAL_FORMS": "x"},
        {"properties-TOTAL_FORMS": "1", "properties-INITIAL_FORMS": "0", "properties-0-place": "9" * 400},
    ],
)
def test_entries_that_no_browser_sends_are_answered_all_the_same(entries: dict[str, str]) -> None:
    make_draft()

    answer = visitor(Role.ANALYST).post(PREVIEW_NEW, entries)

    assert answer.status_code == 200
    assert answer.context["editor"].problems


def test_what_is_typed_is_text_in_the_preview_and_never_markup() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    entries = {
        **opened(asked, event),
        "properties-0-name": "<script>alert(1)</script>",
        "example": '{"<img src=x>": "<script>alert(2)</script>"}',
    }

    content = asked.post(preview(event), entries).content.decode()

    assert "<script>alert" not in content
    assert "<img" not in content


# Buttons that save nothing


def test_a_check_answers_with_the_page_and_the_entries_and_saves_nothing() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    entries = {**opened(asked, event), "privacy": "sensitive", "_check": "1"}
    before = everything_stored()

    answer = asked.post(page(event), entries)

    assert "Checked. Nothing was saved." in text_of(answer)
    assert fields_of(answer)["privacy"] == "sensitive"
    assert [row.hidden_by for row in answer.context["editor"].example.rows] == ["mask"] * 4
    assert errors_in(answer) == {}
    assert everything_stored() == before


def test_a_check_shows_errors_beside_their_fields() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    entries = {**opened(asked, event), "thresholds-0-metric": "nothing", "review_by": "2027-02-31", "_check": "1"}

    errors = errors_in(asked.post(page(event), entries))

    assert set(errors) == {"thresholds-0-metric", "review_by"}


def test_rows_are_added_without_scripts() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)

    more = asked.post(page(event), {**opened(asked, event), "_add_property": "1"})
    most = asked.post(page(event), {**fields_of(more), "_add_threshold": "1"})

    entries = fields_of(most)
    assert (entries["properties-TOTAL_FORMS"], entries["thresholds-TOTAL_FORMS"]) == ("5", "2")
    assert asked.post(page(event), entries).status_code == 302
    assert PropertyNames.of(event) == ["workflow", "step", "durationMs", "userId"]


class PropertyNames:
    """The names of an event's properties as they are stored, in order."""

    @staticmethod
    def of(event: EventRecord) -> list[str]:
        return list(EventRecord.objects.get(pk=event.pk).properties.values_list("name", flat=True))


@pytest.mark.parametrize(
    ("wish", "order"),
    [
        ("0:down", ["step", "workflow", "durationMs", "userId"]),
        ("3:up", ["workflow", "step", "userId", "durationMs"]),
        ("0:up", ["workflow", "step", "durationMs", "userId"]),
        ("9:up", ["workflow", "step", "durationMs", "userId"]),
        ("nonsense", ["workflow", "step", "durationMs", "userId"]),
    ],
)
def test_properties_are_moved_and_stay_where_they_were_put(wish: str, order: list[str]) -> None:
    event = seed()
    asked = visitor(Role.ANALYST)

    moved = asked.post(page(event), {**opened(asked, event), "_move": wish})
    shown = [row["name"].value() for row in moved.context["editor"].properties]
    asked.post(page(event), fields_of(moved))

    assert shown == order
    assert PropertyNames.of(event) == order


def test_a_sample_becomes_rows_with_types_and_suggestions_and_is_saved_by_saving() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)
    sample = '{"step": 1, "email": "a@example.com", "amount": 9.5, "at": "2026-01-15T09:30:00Z"}'

    pasted = asked.post(page(event), {**opened(asked, event), "sample": sample, "_paste": "1"})

    assert "3 properties added from the sample. 1 looks personal and will be hidden." in text_of(pasted)
    assert "1 of the same name stayed as they were." in text_of(pasted)
    assert PropertyNames.of(event) == ["workflow", "step", "durationMs", "userId"]
    asked.post(page(event), fields_of(pasted))
    stored = {row.name: (row.type, row.pii, row.redact) for row in EventRecord.objects.get().properties.all()}
    assert stored["email"] == ("string", True, True)
    assert stored["amount"] == ("number", None, False)
    assert stored["at"] == ("timestamp", None, False)
    assert stored["step"] == ("string", None, False)


def test_a_sample_that_cannot_be_read_stays_to_be_corrected() -> None:
    event = seed()
    asked = visitor(Role.ANALYST)

    answer = asked.post(page(event), {**opened(asked, event), "sample": '{"a": ', "_paste": "1"})

    assert "The sample cannot be used. must be JSON that can be read (line 1, column 7)" in text_of(answer)
    assert "{&quot;a&quot;: </textarea>" in answer.content.decode()


def test_a_stale_page_keeps_what_was_typed_also_in_rows() -> None:
    event = seed()
    asked, other = visitor(Role.ANALYST), visitor(Role.ANALYST)
    entries = {**opened(asked, event), "properties-0-name": "flow", "sampling_rate": "25 %"}
    other.fill_in(page(event), semantics_why="Because")

    answer = asked.post(page(event), entries)

    assert "Somebody else saved this since you opened it" in text_of(answer)
    kept = fields_of(answer)
    assert (kept["properties-0-name"], kept["sampling_rate"]) == ("flow", "25 %")
    assert PropertyNames.of(event)[0] == "workflow"


# Shares


@pytest.mark.parametrize(
    ("typed", "rate"), [("25 %", 0.25), ("25%", 0.25), ("0.25", 0.25), ("0,25", 0.25), ("12.5 %", 0.125), ("1", 1.0)]
)
def test_a_share_is_typed_as_a_ratio_or_in_percent(typed: str, rate: float) -> None:
    event = seed()

    visitor(Role.ANALYST).fill_in(page(event), sampling_rate=typed)

    event.refresh_from_db()
    assert event.sampling_rate == rate


@pytest.mark.parametrize("typed", ["many", "1 2", "%", "nan", "inf %"])
def test_a_share_that_is_no_number_is_refused(typed: str) -> None:
    event = seed()

    errors = errors_in(visitor(Role.ANALYST).fill_in(page(event), sampling_rate=typed))

    assert errors == {"sampling_rate": ["Enter a share such as 25 % or 0.25."]}


# Who may only look


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_only_look_gets_no_button_that_changes(role: Role) -> None:
    event = seed()

    content = visitor(role).get(page(event)).content.decode()

    assert 'name="_move"' not in content
    assert 'name="_paste"' not in content
    assert "hx-post" not in content
    assert content.count('name="properties-0-name"') == 1


# Cost


def test_the_editor_costs_the_same_for_any_number_of_properties_and_events() -> None:
    small = make_draft(make_spec(make_event("one"), name="small"))
    many = {f"p{index}": make_property(redaction=make_redaction("mask")) for index in range(60)}
    events = [make_event(f"event_{index}", privacy=PrivacyLevel.PII, properties=many) for index in range(30)]
    large = make_draft(make_spec(*events, name="large"))
    asked = visitor(Role.ANALYST)
    # What a process remembers after its first page is not what a page costs.
    asked.cost_of(page(small.events.get()))

    costs = [asked.cost_of(page(spec.events.order_by("pk")[0])) for spec in (small, large)]

    assert costs == [22, 22]


def test_the_spec_that_an_event_goes_to_is_known_before_anything_is_sent() -> None:
    record = make_draft(make_spec(config=TelemetryDefaults(default_retention_days=7, default_sampling_rate=0.5)))

    shown = visitor(Role.ANALYST).get(ADD, spec=record.pk).context["editor"]

    assert (shown.inherited.retention_days, shown.inherited.sampling_rate) == (7, "50 %")
    assert SpecRecord.objects.count() == 1


# What it means in numbers


def sent_event() -> EventRecord:
    """An event of which 1,000 come a day, 250 of them stored, for 90 days."""
    make_draft(make_spec(make_event("step", retention=Retention(days=90), sampling=Sampling(rate=0.25))))
    make_days(make_installation(), [1000, 1000, 10], name="step", stored=[250, 250, 3])
    return EventRecord.objects.get()


def test_days_and_rate_are_told_in_events_once_there_are_any() -> None:
    traffic = visitor(Role.VIEWER).get(page(sent_event())).context["editor"].traffic

    assert traffic.retention == (
        "About 250 events a day are stored (on average over 2 days): 90 days hold about "
        "22\N{NARROW NO-BREAK SPACE}000 events."
    )
    assert traffic.sampling == (
        "Keeps about 250 of 1\N{NARROW NO-BREAK SPACE}000 events a day. So far 25 % were kept (on average over 2 days)."
    )


def test_other_days_and_another_rate_are_told_beside_what_is_saved() -> None:
    event, asked = sent_event(), visitor(Role.ANALYST)
    entries = {**opened(asked, event), "retention_days": "7", "sampling_rate": "50 %"}

    response = asked.post(preview(event), {**entries, "sampling_conditions": "properties.durationMs > 100"})

    traffic = response.context["editor"].traffic
    assert "7 days hold about 1\N{NARROW NO-BREAK SPACE}800 events, the saved 90 days about 22" in traffic.retention
    assert (
        "about 500 of 1\N{NARROW NO-BREAK SPACE}000 events a day where the conditions hold, about "
        "1\N{NARROW NO-BREAK SPACE}000 where they do not"
    ) in traffic.sampling
    assert 'id="traffic-retention" class="editor__traffic" aria-live="polite" hx-swap-oob="true"' in (
        response.content.decode()
    )


@pytest.mark.parametrize(("days", "rate"), [("0.5", "7"), ("x", "x"), ("999999", "-1")])
def test_entries_that_cannot_be_are_told_in_no_numbers(days: str, rate: str) -> None:
    event, asked = sent_event(), visitor(Role.ANALYST)

    response = asked.post(preview(event), {**opened(asked, event), "retention_days": days, "sampling_rate": rate})

    assert response.context["editor"].traffic == ("", "")


def test_without_data_there_are_no_numbers() -> None:
    make_draft(make_spec(make_event("step")))

    assert visitor(Role.VIEWER).get(page(EventRecord.objects.get())).context["editor"].traffic == ("", "")
