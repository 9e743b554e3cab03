"""Whole documents: checked, imported as a new spec, imported into a draft."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from telemetry.core.codec import encode_spec, spec_to_yaml
from telemetry.core.spec import Sampling, TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_sigil_spec, make_spec
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
from tests.telemetry.factories import everything_stored, make_draft

pytestmark = pytest.mark.django_db

NEW = "/studio/specs/import/"
# An error and warnings.
POOR = make_spec(
    make_event("sigil.telemetry.signed_in", sampling=Sampling(rate=0.001), properties={"password": make_property()})
)


def page(record: SpecRecord, name: str) -> str:
    return f"/studio/specs/{record.pk}/{name}/"


def the_draft(name: str = "sigil.telemetry") -> TelemetrySpec:
    return spec_from_records(SpecRecord.objects.get(name=name))


def upload(content: bytes, name: str = "spec.yaml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


# A new spec from a document


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize("way", ["file", "text"])
def test_a_document_becomes_a_new_spec(form: str, way: str) -> None:
    text = spec_to_yaml(make_sigil_spec()) if form == "yaml" else encode_spec(make_sigil_spec()).decode()
    entries = {"text": text} if way == "text" else {"file": upload(text.encode())}

    response = visitor(Role.ANALYST).post(NEW, entries)

    record = SpecRecord.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(record, "change"))
    assert the_draft() == make_sigil_spec()
    assert actions() == ["spec.created"]


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_specs_imports_none(role: Role) -> None:
    record = make_draft()
    asked = visitor(role)

    assert asked.get(NEW).status_code == 403
    assert_denied("spec.edit", lambda: asked.post(NEW, text="x"))
    assert_denied("spec.edit", lambda: asked.post(page(record, "import"), text="x"))


BAD: list[tuple[Any, str]] = [
    ({"text": "meta: ["}, "Is not valid YAML"),
    ({"text": "{"}, "Is not valid JSON"),
    ({"text": "just words"}, "Must be an object"),
    ({"text": "meta: {name: x, version: 1, title: X, typo: 1}"}, "meta.typo: unknown key"),
    ({"text": "meta: {name: x, version: 1}"}, "meta.title: is required"),
    (
        {"text": "meta: {name: x, version: 1, title: X}\nconfig: {defaultSamplingRate: 7.5}"},
        "config.defaultSamplingRate",
    ),
    ({"text": "a: &a [1]\nb: *a"}, "Anchors (&name) are not supported"),
    ({"text": "[" * 200_000}, ""),
    ({"text": "   \n "}, "Choose a file or paste its text, one of the two."),
    ({}, "Choose a file or paste its text, one of the two."),
    ({"text": "x", "file": b"x"}, "Choose a file or paste its text, one of the two."),
    ({"file": b"\xff\xfe\x00"}, "UTF-8"),
    ({"file": b"\x00"}, ""),
]


@pytest.mark.parametrize(("entries", "message"), BAD)
def test_a_document_that_cannot_be_read_is_refused_with_every_reason(entries: dict[str, Any], message: str) -> None:
    asked = visitor(Role.ANALYST)
    sent = {name: upload(value) if isinstance(value, bytes) else value for name, value in entries.items()}

    errors = assert_refused(lambda: asked.post(NEW, sent))

    assert message in " ".join(errors["__all__"])


def test_every_broken_rule_is_listed_with_its_path() -> None:
    text = "meta: {name: x, version: 0, title: ''}\nevents: [{name: e, version: 1, privacy: open}]"

    errors = assert_refused_import(text)

    assert [error.split(":")[0] for error in errors] == [
        "meta.version",
        "meta.title",
        "events[0].privacy",
        "events[0].semantics",
    ]


def assert_refused_import(text: str) -> list[str]:
    asked = visitor(Role.ANALYST)
    return assert_refused(lambda: asked.post(NEW, text=text))["__all__"]


@override_settings(STUDIO_REQUEST_MAX_BYTES=10)
def test_a_file_that_is_too_large_is_refused() -> None:
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.post(NEW, {"file": upload(b"x" * 11)}))

    assert errors == {"file": ["The file is larger than 10 bytes."]}


def test_a_name_that_is_taken_is_refused() -> None:
    make_draft()

    assert assert_refused_import(spec_to_yaml(make_sigil_spec())) == [
        "A spec with the name sigil.telemetry exists already"
    ]


# Into a draft


def test_a_document_replaces_the_draft() -> None:
    record = make_draft()
    other = make_spec(make_event("only"))
    asked = visitor(Role.ANALYST)

    response = asked.fill_in(page(record, "import"), text=spec_to_yaml(other))

    assert (response.status_code, response["Location"]) == (302, page(record, "findings"))
    assert the_draft() == other
    assert actions()[-1] == "spec.draft.replaced"


def test_a_document_of_another_spec_is_refused() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    other = spec_to_yaml(make_spec(name="other"))

    errors = assert_refused(lambda: asked.fill_in(page(record, "import"), text=other))

    assert errors["__all__"] == ["meta.name: must be sigil.telemetry, the name of this spec"]


def test_a_draft_that_changed_meanwhile_is_replaced_on_purpose_only() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    opened = fields_of(asked.get(page(record, "import")))
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("new"))
    document = spec_to_yaml(make_spec(make_event("only")))

    refused = asked.post(page(record, "import"), {**opened, "text": document})

    assert "Somebody else saved this" in errors_in(refused)["__all__"][0]
    assert len(the_draft().events) == 2
    asked.post(page(record, "import"), fields_of(refused))
    assert [event.name for event in the_draft().events] == ["only"]


# Checked first


@pytest.mark.parametrize("way", ["file", "text"])
def test_a_document_that_is_checked_shows_its_findings_and_saves_nothing(way: str) -> None:
    asked = visitor(Role.ANALYST)
    before = everything_stored()
    text = spec_to_yaml(POOR)

    checked = asked.post(NEW, {"_check": "1", way: text if way == "text" else upload(b"\xef\xbb\xbf" + text.encode())})

    assert "Nothing is saved yet." in text_of(checked)
    assert "secret_collected" in text_of(checked)
    assert everything_stored() == before
    # What was looked at can be sent as it stands, also where a file was chosen.
    asked.post(NEW, fields_of(checked))
    assert the_draft() == POOR


def test_checking_shows_what_would_change_in_the_draft() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)
    before = everything_stored()

    checked = asked.fill_in(page(record, "import"), _check="1", text=spec_to_yaml(POOR))

    shown = text_of(checked)
    assert "Against the draft:" in shown
    for event in ("sigil.telemetry.workflow_step@1", "sigil.telemetry.signed_in@1"):
        assert event in shown
    assert everything_stored() == before


def test_checking_refuses_what_importing_refuses() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)

    taken = assert_refused(lambda: asked.post(NEW, _check="1", text=spec_to_yaml(make_sigil_spec())))
    other = assert_refused(
        lambda: asked.fill_in(page(record, "import"), _check="1", text=spec_to_yaml(make_spec(name="other")))
    )

    assert taken["__all__"] == ["A spec with the name sigil.telemetry exists already"]
    assert other["__all__"] == ["meta.name: must be sigil.telemetry, the name of this spec"]


@pytest.mark.parametrize("is_new", [True, False])
def test_an_import_with_findings_leads_to_them(is_new: bool) -> None:
    asked = visitor(Role.ANALYST)
    record = None if is_new else make_draft()
    address = NEW if record is None else page(record, "import")

    response = asked.fill_in(address, text=spec_to_yaml(POOR))

    record = SpecRecord.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(record, "findings"))
    shown = asked.get(response["Location"])
    assert "Lint finds 1 error, " in text_of(shown)
    assert {each.finding.rule for each in shown.context["findings"]} >= {"secret_collected", "sampling_too_low"}


# Plans of other formats

SEGMENT = {
    "name": "Shop plan",
    "rules": [
        {
            "type": "TRACK",
            "key": "Order Placed",
            "version": 1,
            "jsonSchema": {"properties": {"total": {"type": "number", "minimum": 0}}},
        }
    ],
}


def test_a_foreign_plan_is_shown_with_what_it_loses_before_anything_is_saved() -> None:
    analyst = visitor(Role.ANALYST)

    shown = analyst.post(NEW, file=upload(json.dumps(SEGMENT).encode(), "plan.json"))

    text = text_of(shown)
    assert not SpecRecord.objects.exists()
    assert "Segment tracking plans" in text
    assert "/rules/0/jsonSchema/properties/total/minimum" in text
    assert "bounds of numbers are not checked" in text
    analyst.post(NEW, text=fields_of(shown)["text"], format=fields_of(shown)["format"])
    assert [event.name for event in the_draft("shop_plan").events] == ["Order Placed"]


@pytest.mark.parametrize(
    ("name", "format_", "events"),
    [
        ("segment", "", ["Order Placed"]),
        ("csv", "csv", ["a", "b"]),
        ("json-schema", "", ["order"]),
        ("contractspec", "", ["sigil.telemetry.workflow_step"]),
        ("glean", "glean", ["shop.order"]),
    ],
)
def test_every_format_is_taken_guessed_or_named(name: str, format_: str, events: list[str]) -> None:
    documents = {
        "segment": json.dumps(SEGMENT),
        "csv": "event;property;type\na;x;int\nb;;\n",
        "json-schema": json.dumps({"title": "order", "type": "object", "properties": {"id": {"type": "string"}}}),
        "contractspec": (Path(__file__).parents[2] / "formats" / "seed.telemetry.ts").read_text(),
        "glean": "$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0\nshop: {order: {type: event}}\n",
    }
    analyst = visitor(Role.ANALYST)

    shown = analyst.post(NEW, text=documents[name], format=format_)
    analyst.post(NEW, text=fields_of(shown)["text"])

    assert [event.name for event in spec_from_records(SpecRecord.objects.get()).events] == events


def test_into_a_draft_a_foreign_plan_comes_under_its_name_and_version() -> None:
    record = make_draft()
    analyst = visitor(Role.ANALYST)
    address = page(record, "import")
    revision = fields_of(analyst.get(address))["expected_revision"]

    shown = analyst.post(address, text=json.dumps(SEGMENT), expected_revision=revision)
    assert the_draft() == make_sigil_spec()
    analyst.post(address, text=fields_of(shown)["text"], expected_revision=revision)

    assert [event.name for event in the_draft().events] == ["Order Placed"]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({"text": json.dumps({"tracking_plans": [SEGMENT, SEGMENT]})}, "olds 2 plans"),
        ({"text": "a,b\n1,2\n", "format": "csv"}, "Must have a column with the heading event"),
        ({"text": json.dumps(SEGMENT), "format": "spec"}, "meta"),
        ({"text": "x", "format": "word"}, "Select a valid choice"),
        ({"text": json.dumps({**SEGMENT, "name": "sigil.telemetry"})}, "exists already"),
    ],
)
def test_a_plan_that_cannot_be_taken_says_why_and_changes_nothing(entries: dict[str, str], said: str) -> None:
    make_draft()
    before = everything_stored()

    shown = visitor(Role.ANALYST).post(NEW, entries)

    assert said in text_of(shown)
    assert everything_stored()["telemetry.SpecRecord"] == before["telemetry.SpecRecord"]


def test_a_plan_that_fits_says_so() -> None:
    table = "event,what,who,why,privacy\na,Done,Somebody,To know,public\n"

    shown = visitor(Role.ANALYST).post(NEW, text=table)

    assert "0 dropped" not in text_of(shown)
    assert "What did not fit" in text_of(shown)
