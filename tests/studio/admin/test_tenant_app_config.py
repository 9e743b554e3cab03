"""Versions of overrides: read, rolled back, archived."""

from typing import Any

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from tenants.context import ALL, tenant_context
from tenants.mappers import override_of
from tenants.models import ConfigStatus, Installation, TenantAppConfig
from tenants.roles import Role
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
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_draft_config, make_published_config, make_tenant

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
OFF = TenantOverride(events={STEP: EventOverride(enabled=False)})
HALF = TenantOverride(events={STEP: EventOverride(sampling_rate=0.5)})


def page(config: TenantAppConfig, name: str = "change") -> str:
    return f"/studio/configs/{config.pk}/{name}/"


@pytest.fixture
def installation() -> Installation:
    """The seed's example at Acme, with two versions of an override: off, then half."""
    make_published()
    made = make_installation("acme")
    make_published_config(made, OFF)
    make_published_config(made, HALF)
    return made


def version(installation: Installation, number: int) -> TenantAppConfig:
    with tenant_context(ALL):
        return TenantAppConfig.objects.get(installation=installation, number=number)


def test_a_version_shows_its_document_and_where_it_comes_from(installation: Installation) -> None:
    text = text_of(visitor(Role.VIEWER).get(page(version(installation, 2))))

    assert '"samplingRate": 0.5' in text
    assert "Written from Version 1" in text


def test_nobody_edits_a_version(installation: Installation) -> None:
    asked = visitor(is_superuser=True)

    assert asked.post(page(version(installation, 2)), document="{}").status_code == 403
    assert asked.get("/studio/configs/add/").status_code == 403
    assert override_of(version(installation, 2)) == HALF


# Rolling back


def test_a_superseded_version_comes_back_as_a_new_one(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER, installation.tenant)

    response = asked.fill_in(page(version(installation, 1), "rollback"), change_summary="Half was too much")

    restored = version(installation, 3)
    assert response["Location"] == f"/studio/installations/{installation.public_id}/history/"
    assert (restored.status, override_of(restored)) == (ConfigStatus.PUBLISHED, OFF)
    assert (restored.based_on_id, restored.change_summary) == (version(installation, 1).pk, "Half was too much")
    assert version(installation, 2).status == ConfigStatus.SUPERSEDED
    assert actions()[-1] == "config.version.rolled_back"


@pytest.mark.parametrize("role", roles_without("config.publish"))
def test_who_may_not_publish_rolls_nothing_back(installation: Installation, role: Role) -> None:
    old = version(installation, 1)
    asked = visitor(role, installation.tenant)

    assert asked.get(page(old, "rollback")).status_code == 403
    assert_denied("config.publish", lambda: asked.post(page(old, "rollback"), change_summary="x", expected_number=2))


def test_a_rollback_says_why(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER)

    errors = assert_refused(lambda: asked.fill_in(page(version(installation, 1), "rollback"), change_summary=" "))

    assert errors == {"change_summary": ["This field is required."]}


def test_what_went_live_meanwhile_is_not_rolled_over(installation: Installation) -> None:
    asked = visitor(Role.PUBLISHER)
    opened = fields_of(asked.get(page(version(installation, 1), "rollback")))
    make_published_config(installation, TenantOverride(enabled=False))

    response = asked.post(page(version(installation, 1), "rollback"), {**opened, "change_summary": "Back"})

    assert "went live meanwhile" in errors_in(response)["__all__"][0]
    assert version(installation, 3).status == ConfigStatus.PUBLISHED


@pytest.mark.parametrize("number", [2, 3])
def test_only_a_superseded_version_comes_back(installation: Installation, number: int) -> None:
    make_draft_config(installation, OFF)
    asked = visitor(Role.PUBLISHER)

    errors = assert_refused(lambda: asked.fill_in(page(version(installation, number), "rollback"), change_summary="x"))

    assert "only a superseded version can come back" in errors["__all__"][0]


# Archiving


def test_a_draft_is_given_up_after_a_question(installation: Installation) -> None:
    draft = make_draft_config(installation, OFF)
    asked = visitor(Role.ANALYST, installation.tenant)

    asked.get(page(draft, "archive"))
    assert version(installation, 3).status == ConfigStatus.DRAFT
    asked.post(page(draft, "archive"))

    assert version(installation, 3).status == ConfigStatus.ARCHIVED
    assert actions()[-1] == "config.version.archived"


def test_the_live_version_is_not_archived(installation: Installation) -> None:
    live = version(installation, 2)
    asked = visitor(Role.ANALYST)

    asked.post(page(live, "archive"))

    assert version(installation, 2).status == ConfigStatus.PUBLISHED
    assert "live or archived already" in text_of(asked.get(page(live)))


@pytest.mark.parametrize("role", roles_without("config.edit"))
def test_who_may_not_edit_archives_nothing(installation: Installation, role: Role) -> None:
    asked = visitor(role, installation.tenant)

    assert_denied("config.edit", lambda: asked.post(page(version(installation, 1), "archive")))


# Isolation


@pytest.mark.parametrize("name", ["change", "rollback", "archive"])
def test_another_tenants_version_is_not_found(installation: Installation, name: str) -> None:
    asked = visitor(Role.ADMIN, make_tenant())
    theirs = version(installation, 1)

    assert asked.get(page(theirs, name)).status_code == 404
    assert asked.post(page(theirs, name), change_summary="x", expected_number="2").status_code in (403, 404)
    assert version(installation, 1).status == ConfigStatus.SUPERSEDED


def deeds(response: Any) -> list[str]:
    return [deed.title for deed in response.context["head"].deeds]


def test_only_what_can_be_done_is_offered(installation: Installation) -> None:
    draft = make_draft_config(installation, OFF)
    publisher, viewer = visitor(Role.PUBLISHER), visitor(Role.VIEWER)

    assert deeds(publisher.get(page(version(installation, 1)))) == ["Roll back to this", "Archive"]
    assert deeds(publisher.get(page(version(installation, 2)))) == []
    assert deeds(publisher.get(page(draft))) == ["Open in toggles", "Review and release", "Archive"]
    assert deeds(viewer.get(page(version(installation, 1)))) == []
