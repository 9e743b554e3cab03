"""Frozen versions: read, downloaded, archived."""

import json

import pytest

from telemetry.core.codec import decode_spec
from telemetry.models import SpecVersion, VersionStatus
from tenants.roles import Role
from tests.core.builders import make_sigil_spec
from tests.studio.visitors import actions, assert_denied, roles_without, text_of, visitor
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db


def page(version: SpecVersion, name: str = "change") -> str:
    return f"/studio/versions/{version.pk}/{name}/"


def test_a_version_shows_what_was_published_by_whom_and_its_checksum() -> None:
    version = make_published()

    text = text_of(visitor(Role.VIEWER).get(page(version)))

    assert version.checksum in text
    assert "Published by a test" in text
    assert '"what": "Workflow step executed"' in text


def test_nobody_edits_a_version() -> None:
    version = make_published()

    assert visitor(is_superuser=True).post(page(version), document="{}").status_code == 403
    assert visitor(is_superuser=True).get("/studio/versions/add/").status_code == 403
    version.refresh_from_db()
    assert decode_spec(version.document) == make_sigil_spec()


def test_the_json_download_is_the_frozen_document_byte_for_byte() -> None:
    version = make_published()

    response = visitor(Role.VIEWER, make_tenant()).get(page(version, "json"))

    assert response.content == version.document_bytes
    assert response["Content-Disposition"] == 'attachment; filename="sigil.telemetry-1.telemetry.json"'
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_yaml_download_says_the_same() -> None:
    version = make_published()

    response = visitor(Role.VIEWER).get(page(version, "yaml"))

    assert decode_spec(response.content, format="yaml") == make_sigil_spec()
    assert response["Content-Type"] == "application/yaml; charset=utf-8"


@pytest.mark.parametrize("name", ["change", "json", "yaml"])
def test_without_a_role_no_version_is_read(name: str) -> None:
    version = make_published()

    assert visitor().get(page(version, name)).status_code == 403


def test_a_version_is_archived_after_a_question() -> None:
    version = make_published()
    asked = visitor(Role.PUBLISHER)

    question = text_of(asked.get(page(version, "archive")))
    version.refresh_from_db()
    assert version.status == VersionStatus.PUBLISHED
    response = asked.post(page(version, "archive"))

    version.refresh_from_db()
    assert "This cannot be taken back." in question
    assert (response.status_code, version.status) == (302, VersionStatus.ARCHIVED)
    assert actions()[-1] == "spec.version.archived"


def test_a_version_that_somebody_obeys_stays() -> None:
    version = make_published()
    make_installation("acme")
    asked = visitor(Role.PUBLISHER)

    asked.post(page(version, "archive"))

    version.refresh_from_db()
    assert version.status == VersionStatus.PUBLISHED
    assert "is in use by" in text_of(asked.get(page(version)))


@pytest.mark.parametrize("role", roles_without("spec.publish"))
def test_who_may_not_publish_archives_nothing(role: Role) -> None:
    version = make_published()
    asked = visitor(role)

    assert_denied("spec.publish", lambda: asked.post(page(version, "archive")))


def test_lists_do_not_load_documents() -> None:
    make_published()

    rows = visitor(Role.VIEWER).get("/studio/versions/").context["cl"].result_list

    assert all("document" in row.get_deferred_fields() for row in rows)
    assert json.loads(rows[0].document)["meta"]["name"] == "sigil.telemetry"
