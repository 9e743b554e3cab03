"""What lint says about a draft, in the browser."""

import pytest

from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import Sampling
from telemetry.models import EventRecord, SpecRecord, SpecVersion
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import make_draft
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

RULES_PAGE = "/studio/lint-rules/"


def page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/findings/"


def a_poor_draft() -> SpecRecord:
    """Keeps too few events, and holds a name that reads like personal data and does not say whether it is."""
    event = make_event("step", sampling=Sampling(rate=0.01), properties={"email": make_property()})
    return make_draft(make_spec(event, name="shop"))


def test_findings_have_severity_rule_place_and_hint_and_lead_to_their_event() -> None:
    record = a_poor_draft()

    response = visitor(Role.VIEWER).get(page(record))

    html, text = response.content.decode(), text_of(response)
    found = {each.finding.rule: each for each in response.context["findings"]}
    assert found["sampling_too_low"].event == "step@1"
    assert found["sampling_too_low"].address == f"/studio/events/{EventRecord.objects.get().pk}/change/"
    assert found["personal_name_unmarked"].finding.severity == "error"
    assert f'href="{RULES_PAGE}sampling_too_low/"' in html
    assert f"step@1 sampling.rate {found['sampling_too_low'].finding.message}" in text
    assert found["sampling_too_low"].finding.hint in text


def test_the_worst_come_first_and_one_severity_can_be_picked() -> None:
    asked, record = visitor(Role.VIEWER), a_poor_draft()

    everything = [each.finding.severity for each in asked.get(page(record)).context["findings"]]
    errors = [each.finding.severity for each in asked.get(page(record), severity="error").context["findings"]]

    assert everything == sorted(everything, key=["error", "warning", "info"].index)
    assert errors == [each for each in everything if each == "error"]
    assert 0 < len(errors) < len(everything)


def test_errors_keep_a_draft_from_being_published_and_the_publish_page_says_so() -> None:
    record = a_poor_draft()
    publisher = visitor(Role.ADMIN)
    publish = f"/studio/specs/{record.pk}/publish/"

    shown = publisher.get(publish)
    publisher.post(publish, change_summary="Anyway", expected_revision="1")

    assert "Errors that lint found" in text_of(shown)
    assert "personal_name_unmarked" in text_of(shown)
    assert 'name="change_summary"' not in shown.content.decode()
    assert not SpecVersion.objects.exists()


def test_a_draft_that_cannot_be_read_as_a_whole_is_not_linted() -> None:
    # What was saved under an older rule: no form lets it in today.
    record = make_draft(make_spec(make_event("step", sampling=Sampling(rate=1.0)), name="shop"))
    EventRecord.objects.update(sampling_conditions=["properties.nothing == 1"])

    assert "The draft breaks rules of the format" in text_of(visitor(Role.VIEWER).get(page(record)))


@pytest.mark.parametrize("query", [{"severity": "worst"}, {"page": "x"}, {"page": "-1"}, {"page": "9" * 30}])
def test_no_query_breaks_the_page(query: dict[str, str]) -> None:
    record = a_poor_draft()

    assert visitor(Role.VIEWER).get(page(record), **query).context["findings"]


@pytest.mark.parametrize("role", list(Role))
def test_every_member_reads_findings_and_rules(role: Role) -> None:
    record, asked = a_poor_draft(), visitor(role, make_tenant())

    assert {asked.get(page(record)).status_code, asked.get(RULES_PAGE).status_code} == {200}


def test_somebody_without_a_role_reads_neither() -> None:
    record, asked = a_poor_draft(), visitor()

    assert {asked.get(page(record)).status_code, asked.get(RULES_PAGE).status_code} == {403}


def test_many_findings_take_as_many_queries_as_few_and_come_in_pages() -> None:
    few = a_poor_draft()
    poor = {"email": make_property()}
    events = [make_event(f"large.step{number}", properties=poor, privacy=PrivacyLevel.INTERNAL) for number in range(30)]
    many = make_draft(make_spec(*events, name="large"))
    asked = visitor(Role.VIEWER)

    assert asked.cost_of(page(many)) == asked.cost_of(page(few))
    assert len(asked.get(page(many)).context["findings"]) == 50
