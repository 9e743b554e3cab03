"""Whole drafts: downloaded, discarded."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from telemetry.core.codec import decode_spec, encode_spec
from telemetry.core.spec import Semantics, TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_sigil_spec
from tests.studio.visitors import (
    actions,
    assert_denied,
    roles_without,
    text_of,
    visitor,
)
from tests.telemetry.factories import make_draft, make_published
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

NEW = "/studio/specs/import/"
STEP = "sigil.telemetry.workflow_step"


def page(record: SpecRecord, name: str) -> str:
    return f"/studio/specs/{record.pk}/{name}/"


def the_draft(name: str = "sigil.telemetry") -> TelemetrySpec:
    return spec_from_records(SpecRecord.objects.get(name=name))


def upload(content: bytes, name: str = "spec.yaml") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


# Out of a draft


def test_the_downloads_say_what_the_draft_says() -> None:
    record = make_draft()
    asked = visitor(Role.VIEWER, make_tenant())

    as_yaml, as_json = asked.get(page(record, "yaml")), asked.get(page(record, "json"))

    assert decode_spec(as_yaml.content, format="yaml") == make_sigil_spec()
    assert as_json.content == encode_spec(make_sigil_spec())
    assert as_yaml["Content-Disposition"] == 'attachment; filename="sigil.telemetry-1-draft.telemetry.yaml"'


@pytest.mark.parametrize("name", ["yaml", "json"])
def test_without_a_role_nothing_is_downloaded(name: str) -> None:
    record = make_draft()

    assert visitor().get(page(record, name)).status_code == 403


# Giving a draft up


def changed_draft() -> SpecRecord:
    record = make_published().spec
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event(STEP, semantics=Semantics(what="Else")))
    record.refresh_from_db()
    return record


def test_a_discarded_draft_says_what_is_published_under_the_next_number() -> None:
    record = changed_draft()
    asked = visitor(Role.ANALYST)

    question = asked.get(page(record, "discard"))
    assert the_draft().events != make_sigil_spec().events
    response = asked.post(page(record, "discard"), revision=question.context["hidden"]["revision"])

    assert "Every change of sigil.telemetry that is not published is lost" in text_of(question)
    assert (response.status_code, response["Location"]) == (302, page(record, "change"))
    assert the_draft().events == make_sigil_spec().events
    assert the_draft().meta.version == 2
    assert actions()[-1] == "spec.draft.discarded"


@pytest.mark.parametrize("revision", ["", "1", "x"])
def test_a_draft_that_is_not_the_one_that_was_seen_is_kept(revision: str) -> None:
    record = changed_draft()
    asked = visitor(Role.ANALYST)

    asked.post(page(record, "discard"), revision=revision)

    assert the_draft().events != make_sigil_spec().events
    assert "Nothing was changed." in text_of(asked.get(page(record, "change")))


def test_a_draft_that_nothing_was_published_of_is_kept() -> None:
    record = make_draft()
    asked = visitor(Role.ANALYST)

    asked.post(page(record, "discard"), revision=record.draft_revision)

    assert the_draft() == make_sigil_spec()


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_specs_discards_none(role: Role) -> None:
    record = changed_draft()
    asked = visitor(role)

    assert_denied("spec.edit", lambda: asked.post(page(record, "discard"), revision=record.draft_revision))
