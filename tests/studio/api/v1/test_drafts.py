"""The draft of a spec as one document, and its publication."""

import json

import msgspec
import pytest

from telemetry.core.codec import decode_spec, encode_spec, spec_to_yaml
from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import Sampling, TelemetrySpec
from telemetry.models import SpecVersion
from telemetry.services.reviews import approve, submit_for_review
from tenants.roles import Role
from tests.core.builders import make_event, make_sigil_spec, make_spec
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_draft, make_installation, make_published
from tests.tenants.factories import make_actor, make_key

pytestmark = pytest.mark.django_db

SPEC = "/api/v1/specs/sigil.telemetry"
DRAFT = f"{SPEC}/draft"
PUBLISH = f"{SPEC}/publish"
PUBLICATION = {"expectedRevision": 1, "changeSummary": "First version"}


def with_title(title: str, version: int = 1) -> TelemetrySpec:
    spec = make_sigil_spec()
    return msgspec.structs.replace(spec, meta=msgspec.structs.replace(spec.meta, title=title, version=version))


@pytest.fixture
def analyst() -> Caller:
    return caller_with_role(Role.ANALYST)


@pytest.fixture
def publisher() -> Caller:
    return caller_with_role(Role.PUBLISHER)


# Reading


def test_the_draft_is_the_canonical_document_and_its_tag_the_revision(analyst: Caller) -> None:
    make_draft()

    answer = analyst.get(DRAFT)

    assert answer.status_code == 200
    assert answer.content == encode_spec(make_sigil_spec())
    assert answer["Content-Type"] == "application/json"
    assert answer["ETag"] == '"1"'
    assert "Accept" in answer["Vary"]


@pytest.mark.parametrize("accept", ["application/yaml", "application/yaml, application/json;q=0.5"])
def test_the_draft_comes_as_yaml_to_who_asks_for_it(analyst: Caller, accept: str) -> None:
    make_draft()

    answer = analyst.get(DRAFT, Accept=accept)

    assert answer["Content-Type"] == "application/yaml"
    assert answer.content.decode() == spec_to_yaml(make_sigil_spec())
    assert decode_spec(answer.content) == make_sigil_spec()


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "application/json, application/yaml;q=0.9", "application/yaml;q=0.1, */*", "text/html, */*;q=0.1"],
)
def test_everybody_else_gets_json(analyst: Caller, accept: str) -> None:
    make_draft()

    assert analyst.get(DRAFT, Accept=accept)["Content-Type"] == "application/json"


def test_errors_are_json_also_for_who_reads_yaml(analyst: Caller) -> None:
    answer = analyst.get(DRAFT, Accept="application/yaml")

    assert answer.status_code == 404
    assert code_of(answer) == "unknown_spec"


def test_who_has_the_current_draft_is_told_so(analyst: Caller) -> None:
    make_draft()

    answer = analyst.get(DRAFT, If_None_Match='"1"')

    assert answer.status_code == 304
    assert (answer.content, answer["ETag"]) == (b"", '"1"')
    assert analyst.get(DRAFT, If_None_Match='"0"').status_code == 200


def test_the_draft_costs_two_queries_however_many_events(analyst: Caller) -> None:
    make_draft(make_spec(*(make_event(f"step{number}") for number in range(30))))

    assert cost_of(analyst, DRAFT) == 2


# Replacing


@pytest.mark.parametrize("if_match", ['"1"', 'W/"1"', '"7", "1"', "*"])
def test_the_draft_says_what_the_document_says(analyst: Caller, if_match: str) -> None:
    make_draft()

    answer = analyst.send("PUT", DRAFT, encode_spec(with_title("Renamed")), If_Match=if_match)

    assert answer.status_code == 200
    assert answer["ETag"] == '"2"'
    assert (answer.json()["title"], answer.json()["draftRevision"]) == ("Renamed", 2)
    assert analyst.get(DRAFT).content == encode_spec(with_title("Renamed"))


def test_the_document_may_be_yaml(analyst: Caller) -> None:
    make_draft()

    body = spec_to_yaml(with_title("Renamed")).encode()
    answer = analyst.send("PUT", DRAFT, body, "application/yaml", If_Match='"1"')

    assert answer.status_code == 200
    assert analyst.get(DRAFT).content == encode_spec(with_title("Renamed"))


def test_the_same_document_changes_nothing(analyst: Caller) -> None:
    make_draft()

    answer = analyst.send("PUT", DRAFT, encode_spec(make_sigil_spec()), If_Match='"1"')

    assert answer.status_code == 200
    assert answer["ETag"] == '"1"'


def test_a_write_must_say_what_it_was_based_on(analyst: Caller) -> None:
    make_draft()
    before = everything_stored()

    answer = analyst.send("PUT", DRAFT, encode_spec(with_title("Renamed")))

    assert answer.status_code == 428
    assert code_of(answer) == "precondition_required"
    assert everything_stored() == before


@pytest.mark.parametrize("if_match", ['"0"', '"2"', "1", "", "garbage"])
def test_a_write_based_on_another_state_changes_nothing(analyst: Caller, if_match: str) -> None:
    make_draft()
    before = everything_stored()

    answer = analyst.send("PUT", DRAFT, encode_spec(with_title("Renamed")), If_Match=if_match)

    assert answer.status_code == 412
    assert code_of(answer) == "precondition_failed"
    assert everything_stored() == before


def test_of_two_writes_based_on_one_state_the_first_counts(analyst: Caller) -> None:
    make_draft()
    tag = analyst.get(DRAFT)["ETag"]

    first = analyst.send("PUT", DRAFT, encode_spec(with_title("First")), If_Match=tag)
    second = analyst.send("PUT", DRAFT, encode_spec(with_title("Second")), If_Match=tag)

    assert (first.status_code, second.status_code) == (200, 412)
    assert analyst.get(SPEC).json()["title"] == "First"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"name": "other.name"}, "meta.name"),
        ({"version": 0}, "meta.version"),
        ({"owners": ["nobody"]}, "meta.owners[0]"),
        ({"isAdmin": True}, "meta.isAdmin"),
    ],
)
def test_a_document_that_breaks_a_rule_changes_nothing(analyst: Caller, change: dict[str, object], path: str) -> None:
    make_draft()
    document = json.loads(encode_spec(make_sigil_spec()))
    document["meta"] |= change
    before = everything_stored()

    answer = analyst.put(DRAFT, document, If_Match='"1"')

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == [path]
    assert everything_stored() == before


def test_an_unknown_draft_cannot_be_replaced(analyst: Caller) -> None:
    answer = analyst.send("PUT", DRAFT, encode_spec(make_sigil_spec()), If_Match='"1"')

    assert answer.status_code == 404


# Publishing


def test_publishing_freezes_the_draft(publisher: Caller) -> None:
    make_draft()

    answer = publisher.post(PUBLISH, PUBLICATION)

    assert answer.status_code == 200
    body = answer.json()
    assert (body["name"], body["version"], body["status"]) == ("sigil.telemetry", 1, "published")
    assert (body["changeSummary"], body["basedOn"]) == ("First version", None)
    version = SpecVersion.objects.get()
    assert version.document_bytes == encode_spec(make_sigil_spec())
    assert body["checksum"] == version.checksum


def test_publishing_shows_in_the_next_config_that_an_app_fetches(publisher: Caller, analyst: Caller) -> None:
    make_published()
    app = Caller(key=make_key(make_installation()).text)
    before = app.get("/api/v1/config")
    tag = analyst.get(DRAFT)["ETag"]
    spec = with_title("Sigil telemetry", version=2)
    sampled = msgspec.structs.replace(spec.events[0], sampling=Sampling(rate=0.25))
    changed = msgspec.structs.replace(spec, events=(sampled,))
    assert analyst.send("PUT", DRAFT, encode_spec(changed), If_Match=tag).status_code == 200
    assert app.get("/api/v1/config", If_None_Match=before["ETag"]).status_code == 304

    revision = analyst.get(SPEC).json()["draftRevision"]
    published = publisher.post(PUBLISH, {"expectedRevision": revision, "changeSummary": "A quarter"})

    assert (published.status_code, published.json()["version"], published.json()["basedOn"]) == (200, 2, 1)
    after = app.get("/api/v1/config", If_None_Match=before["ETag"])
    assert after.status_code == 200
    assert after.json()["events"][0]["sampling"]["rate"] == 0.25


def test_publishing_another_revision_than_was_reviewed_changes_nothing(publisher: Caller) -> None:
    make_draft()
    before = everything_stored()

    answer = publisher.post(PUBLISH, {**PUBLICATION, "expectedRevision": 2})

    assert answer.status_code == 409
    assert code_of(answer) == "stale_revision"
    assert "at revision 1" in answer.json()["detail"]
    assert everything_stored() == before


def test_publishing_twice_changes_nothing(publisher: Caller) -> None:
    make_draft()
    publisher.post(PUBLISH, PUBLICATION)
    before = everything_stored()

    again = publisher.post(PUBLISH, PUBLICATION)

    assert again.status_code == 409
    assert everything_stored() == before


def test_protecting_less_waits_for_the_approval_of_somebody_else(publisher: Caller, analyst: Caller) -> None:
    make_published()
    spec = with_title("Sigil telemetry", version=2)
    open_event = msgspec.structs.replace(spec.events[0], privacy=PrivacyLevel.PUBLIC)
    changed = msgspec.structs.replace(spec, events=(open_event,))
    analyst.send("PUT", DRAFT, encode_spec(changed), If_Match="*")
    revision = analyst.get(SPEC).json()["draftRevision"]
    publication = {"expectedRevision": revision, "changeSummary": "Looser"}

    refused = publisher.post(PUBLISH, publication)
    early = caller_with_role(Role.ADMIN).post(PUBLISH, publication)
    review = submit_for_review(
        actor=make_actor(Role.ANALYST), spec_name=spec.meta.name, expected_revision=revision, summary="Looser"
    )
    approve(actor=make_actor(Role.PRIVACY_OFFICER), review_id=review.pk)
    accepted = publisher.post(PUBLISH, publication)

    assert (refused.status_code, code_of(refused)) == (403, "not_allowed")
    assert (early.status_code, code_of(early)) == (409, "approval_required")
    assert [error["code"] for error in early.json()["errors"]] == ["loosens"]
    assert accepted.status_code == 200


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({"changeSummary": "a"}, "expectedRevision", "missing_key"),
        ({"expectedRevision": 1}, "changeSummary", "missing_key"),
        ({**PUBLICATION, "expectedRevision": "1"}, "expectedRevision", "wrong_type"),
        ({**PUBLICATION, "expectedRevision": True}, "expectedRevision", "wrong_type"),
        ({**PUBLICATION, "expectedRevision": 1.5}, "expectedRevision", "wrong_type"),
        ({**PUBLICATION, "expectedRevision": 0}, "expectedRevision", "out_of_range"),
        ({**PUBLICATION, "expectedRevision": 2**31}, "expectedRevision", "out_of_range"),
        ({**PUBLICATION, "expectedRevision": None}, "expectedRevision", "wrong_type"),
        ({**PUBLICATION, "changeSummary": ""}, "changeSummary", "bad_length"),
        ({**PUBLICATION, "changeSummary": "a" * 4001}, "changeSummary", "bad_length"),
        ({**PUBLICATION, "force": True}, "force", "unknown_key"),
    ],
)
def test_a_publication_names_its_revision_and_says_what_changed(
    publisher: Caller, body: dict[str, object], path: str, code: str
) -> None:
    make_draft()
    before = everything_stored()

    answer = publisher.post(PUBLISH, body)

    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["path"], error["code"]) == (path, code)
    assert everything_stored() == before


def test_a_summary_of_spaces_says_nothing(publisher: Caller) -> None:
    make_draft()

    assert publisher.post(PUBLISH, {**PUBLICATION, "changeSummary": "   "}).status_code == 400


def test_an_unknown_spec_cannot_be_published(publisher: Caller) -> None:
    assert publisher.post(PUBLISH, PUBLICATION).status_code == 404


# Who may


@pytest.mark.parametrize(
    ("role", "reads", "writes", "publishes"),
    [
        (Role.VIEWER, 200, 403, 403),
        (Role.ANALYST, 200, 200, 403),
        (Role.PRIVACY_OFFICER, 200, 200, 403),
        (Role.PUBLISHER, 200, 200, 200),
        (Role.ADMIN, 200, 200, 200),
        (None, 403, 403, 403),
    ],
)
def test_each_role_may_what_its_abilities_say(role: Role | None, reads: int, writes: int, publishes: int) -> None:
    make_draft()
    caller = caller_with_role(role)

    assert caller.get(DRAFT).status_code == reads
    assert caller.send("PUT", DRAFT, encode_spec(make_sigil_spec()), If_Match='"1"').status_code == writes
    assert caller.post(PUBLISH, PUBLICATION).status_code == publishes


def test_who_may_not_write_learns_nothing_about_the_draft(publisher: Caller) -> None:
    make_draft()
    viewer = caller_with_role(Role.VIEWER)

    assert viewer.send("PUT", DRAFT, b"garbage").status_code == 403
    assert viewer.send("PUT", DRAFT.replace("sigil", "unknown"), b"garbage").status_code == 403
    assert viewer.post(PUBLISH, {}).status_code == 403
