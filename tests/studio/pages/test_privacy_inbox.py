"""The privacy inbox: what waits, the evidence for it, and the decisions."""

from typing import Any

import pytest

from telemetry.core.enums import RedactionStrategy
from telemetry.core.spec import Redaction
from telemetry.detection.inspector import Inspector
from telemetry.models import EventRecord, FindingState, PrivacyFinding
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import actions, assert_denied, roles_without, text_of, visitor
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.test_privacy_findings import MAIL, STEP, draft_event, send, the_finding

pytestmark = pytest.mark.django_db

INBOX = "/studio/privacy-inbox/"


@pytest.fixture(autouse=True)
def fresh_inspector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.privacy_findings._inspector", Inspector())


@pytest.fixture
def installation() -> Installation:
    make_published()
    found = make_installation()
    send(found, {"step": MAIL}, {"step": "plain"}, {"origin": "91.34.77.120"}, app_version="2.4.0")
    return found


def page(finding: PrivacyFinding) -> str:
    return f"{INBOX}{finding.pk}/"


def mail() -> PrivacyFinding:
    return the_finding(detector="email", installation__tenant__slug="acme")


def test_an_empty_inbox_says_what_it_is_for() -> None:
    assert "Nothing personal was found" in text_of(visitor(Role.VIEWER).get(INBOX))


def test_what_was_found_waits_with_its_evidence_and_a_suggestion(installation: Installation) -> None:
    response = visitor(Role.VIEWER).get(INBOX)

    text = text_of(response)
    assert f"{STEP} · step E-mail 33 % of 3" in text
    assert f"{STEP} · origin undeclared IP address 100 % of 1" in text
    assert "pii, masked" in text
    assert "pii, generalised" in text
    assert MAIL not in response.content.decode()


def test_one_property_is_one_row_over_all_installations(installation: Installation) -> None:
    send(make_installation("globex"), {"step": MAIL})

    rows = visitor(Role.VIEWER).get(INBOX).context["rows"]

    assert [(shown.place, shown.row.installations, shown.row.found) for shown in rows] == [
        ("step", 2, 2),
        ("origin", 1, 1),
    ]


def test_who_sees_one_tenant_sees_the_evidence_of_that_one(installation: Installation) -> None:
    other = make_installation("globex")
    send(other, {"step": MAIL})
    asked = visitor(Role.PRIVACY_OFFICER, other.tenant)

    assert [(shown.place, shown.row.installations) for shown in asked.get(INBOX).context["rows"]] == [("step", 1)]
    assert asked.get(page(mail())).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ORIGIN"}, ["origin"]),
        ({"detector": "email"}, ["step"]),
        ({"detector": "made up"}, ["step", "origin"]),
        ({"state": "dismissed"}, []),
        ({"state": "made up", "page": "9"}, ["step", "origin"]),
        ({"q": "\x00"}, []),
    ],
)
def test_the_address_narrows_the_inbox_down(
    installation: Installation, query: dict[str, str], found: list[str]
) -> None:
    rows = visitor(Role.VIEWER).get(INBOX, **query).context["rows"]

    assert sorted(shown.place for shown in rows) == sorted(found)


def test_the_badge_counts_what_waits_for_who_may_decide(installation: Installation) -> None:
    def badge(role: Role) -> Any:
        groups = visitor(role).get("/studio/").context["sidebar_navigation"]
        return next(item for group in groups for item in group["items"] if item["title"] == "Privacy inbox").get(
            "badge"
        )

    assert badge(Role.PRIVACY_OFFICER) == 2
    assert not badge(Role.ANALYST)


def test_an_inbox_of_any_length_takes_the_same_queries(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)
    few = asked.cost_of(INBOX)

    send(installation, {f"extra{letter}": MAIL for letter in "abcdefghijkl"})

    assert asked.cost_of(INBOX) == few


def test_one_finding_shows_its_evidence_and_nothing_of_the_value(installation: Installation) -> None:
    response = visitor(Role.PRIVACY_OFFICER).get(page(mail()))

    text = text_of(response)
    assert "33 % 1 of 3 values that were looked at" in text
    assert "2.4.0" in text
    assert "The draft of sigil.telemetry marks step as personal and hides it" in text
    assert MAIL not in response.content.decode()


def test_accepting_changes_the_draft_and_leads_to_the_editor(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)

    response = asked.post(page(mail()), verdict="accept", strategy="hash")

    with tenant_context(ALL):
        event = EventRecord.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/studio/events/{event.pk}/change/#properties")
    assert draft_event().properties["step"].redaction == Redaction(strategy=RedactionStrategy.HASH)
    assert mail().state == FindingState.ACCEPTED
    assert actions()[-2:] == ["spec.event.saved", "finding.accepted"]
    assert "It takes effect when the draft is published" in text_of(asked.get("/studio/"))


def test_a_strategy_that_does_not_fit_comes_back_at_its_field(installation: Installation) -> None:
    send(installation, {"extra": {"to": MAIL}})
    finding = the_finding(path="properties.extra")
    before = everything_stored()

    response = visitor(Role.PRIVACY_OFFICER).post(page(finding), verdict="accept", strategy="email_domain")

    assert response.context["accept_form"].errors["strategy"] == ["Can hide values of these types only: string"]
    after = everything_stored()
    assert after["telemetry.PropertyRecord"] == before["telemetry.PropertyRecord"]
    assert after["telemetry.PrivacyFinding"] == before["telemetry.PrivacyFinding"]


def test_a_dismissal_needs_a_reason_and_empties_the_inbox(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)

    refused = asked.post(page(mail()), verdict="dismiss", reason=" ")
    assert list(refused.context["dismiss_form"].errors) == ["reason"]
    response = asked.post(page(mail()), verdict="dismiss", reason="Our own address")

    assert (response.status_code, response["Location"]) == (302, INBOX)
    assert (mail().state, mail().reason) == (FindingState.DISMISSED, "Our own address")
    assert "step" not in [shown.place for shown in asked.get(INBOX).context["rows"]]
    assert "Our own address" in text_of(asked.get(page(mail())))


def test_a_finding_is_snoozed_and_put_back(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)

    asked.post(page(mail()), verdict="snooze", days="30")
    assert mail().state == FindingState.SNOOZED
    response = asked.post(page(mail()), verdict="reopen")

    assert (response.status_code, mail().state) == (302, FindingState.OPEN)


def test_an_answer_that_is_none_changes_nothing(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)

    assert asked.post(page(mail()), verdict="made up").status_code == 302
    assert asked.post(page(mail()), verdict="snooze", days="9999").status_code == 200
    assert mail().state == FindingState.OPEN


def test_a_property_whose_name_is_not_shown_offers_no_way_to_declare_it(installation: Installation) -> None:
    ingest(installation, make_incoming(properties={"workflow": "w", "step": "s", MAIL: 1}))
    finding = the_finding(path="properties[?]")
    asked = visitor(Role.PRIVACY_OFFICER)

    assert "Find in the app what sends such names" in text_of(asked.get(page(finding)))
    assert asked.post(page(finding), verdict="accept", strategy="mask").status_code == 302
    assert "find in the app" in text_of(asked.get(page(finding)))
    assert the_finding(path="properties[?]").state == FindingState.OPEN


@pytest.mark.parametrize("role", roles_without("finding.decide"))
@pytest.mark.parametrize("verdict", ["accept", "dismiss", "snooze", "reopen"])
def test_who_may_not_decide_changes_nothing(installation: Installation, role: Role, verdict: str) -> None:
    asked = visitor(role, installation.tenant)

    assert_denied(
        "finding.decide", lambda: asked.post(page(mail()), verdict=verdict, strategy="mask", reason="x", days="7")
    )


def test_an_officer_of_one_tenant_cannot_change_the_spec_of_all(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER, installation.tenant)

    assert "for privacy officers of the whole workspace" in text_of(asked.get(page(mail())))
    assert_denied("spec.edit", lambda: asked.post(page(mail()), verdict="accept", strategy="mask"))
