"""What was tried in staging is taken to production, as far as it may be there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from telemetry.core.config import (
    AppBlueprint,
    EventOverride,
    FloorException,
    PrivacyFloor,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import Environment, FloorLimit, PrivacyLevel
from telemetry.core.errors import Conflict, NotAllowed, StaleRevision
from telemetry.core.spec import Retention
from telemetry.services.overrides import publish_override, save_override
from telemetry.services.promotion import plan_promotion, promotable_installations, promote_override
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.mappers import override_of
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tenants.services.floor_exceptions import grant_exception
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import everything_stored, make_published
from tests.tenants.factories import (
    make_actor,
    make_app,
    make_draft_config,
    make_installation,
    make_published_config,
    make_tenant,
)

pytestmark = pytest.mark.django_db

PII = PrivacyLevel.PII
NAME = "sigil.telemetry"
WISHES = TenantOverride(events={"step": EventOverride(sampling_rate=0.5), "mail": EventOverride(retention_days=60)})


@pytest.fixture
def environments() -> tuple[Installation, Installation]:
    """Staging, where a longer retention is excepted from the floor, and production, of one app at one tenant."""
    make_published(make_spec(make_event("step"), make_event("mail", privacy=PII, retention=Retention(days=90))))
    tenant = make_tenant("acme")
    app = make_app(blueprint=AppBlueprint(spec=SpecPointer(name=NAME)))
    staging = make_installation(tenant, app, Environment.STAGING)
    production = make_installation(tenant, app)
    with tenant_context(ALL):
        floor = PrivacyFloor(maximum_retention_days={PII: 30})
        save_floor(actor=SYSTEM, app=None, floor=floor, expected_revision=0)
        grant_exception(
            actor=SYSTEM,
            tenant=tenant,
            app=app,
            installation=staging,
            exception=FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS, level=PII),
            reason="A trial",
            ends_at=timezone.now() + timedelta(days=7),
        )
        draft = save_override(actor=SYSTEM, installation=staging, override=WISHES, expected_checksum=None)
        publish_override(
            actor=SYSTEM,
            config=draft,
            change_summary="Tried",
            expected_checksum=draft.checksum,
            expected_published_number=None,
        )
    return staging, production


def test_what_can_be_taken_over_is_a_draft_that_knows_where_it_is_from(
    environments: tuple[Installation, Installation],
) -> None:
    staging, production = environments

    with tenant_context(ALL):
        draft, promotion = promote_override(actor=SYSTEM, source=staging, target=production, expected_checksum=None)

        assert draft.installation_id == production.pk
        assert override_of(draft) == TenantOverride(events={"step": EventOverride(sampling_rate=0.5)})
        assert draft.promoted_from == promotion.source
        entry = AuditEntry.objects.latest("id")
        assert (entry.action, entry.details["promoted_from"]) == ("config.draft.saved", str(staging))


def test_what_cannot_be_taken_over_is_told(environments: tuple[Installation, Installation]) -> None:
    staging, production = environments

    with tenant_context(ALL):
        before = everything_stored()
        promotion = plan_promotion(staging, production)

        assert [(error.code, error.path) for error in promotion.left_out] == [
            ("below_floor", "events.mail.retentionDays")
        ]
        assert everything_stored() == before


def test_a_pin_to_a_version_that_is_not_there_is_left_out(environments: tuple[Installation, Installation]) -> None:
    staging, production = environments
    make_published_config(staging, TenantOverride(spec=SpecPointer(name=NAME, version=7), enabled=False))

    with tenant_context(ALL):
        promotion = plan_promotion(staging, production)

    assert promotion.override == TenantOverride(enabled=False)
    assert [error.path for error in promotion.left_out] == ["spec.version"]


def test_an_older_version_can_be_taken_too(environments: tuple[Installation, Installation]) -> None:
    staging, production = environments
    make_published_config(staging, TenantOverride(enabled=False))

    with tenant_context(ALL):
        assert plan_promotion(staging, production, number=1).override.events["step"].sampling_rate == 0.5
        assert plan_promotion(staging, production).override == TenantOverride(enabled=False)


def test_only_environments_of_one_app_at_one_tenant_are_offered(
    environments: tuple[Installation, Installation],
) -> None:
    staging, production = environments
    elsewhere = make_installation(staging.tenant)

    with tenant_context(ALL):
        assert promotable_installations(production) == [staging]
        for source, target in ((elsewhere, production), (production, production)):
            with pytest.raises(Conflict, match="same app at the same tenant"):
                plan_promotion(source, target)
        with pytest.raises(Conflict, match="no override is live there"):
            plan_promotion(production, staging)


def test_a_draft_that_somebody_began_is_not_overwritten_unseen(environments: tuple[Installation, Installation]) -> None:
    staging, production = environments
    make_draft_config(production, TenantOverride(enabled=False))

    with tenant_context(ALL), pytest.raises(StaleRevision):
        promote_override(actor=SYSTEM, source=staging, target=production, expected_checksum=None)


def test_a_viewer_may_not(environments: tuple[Installation, Installation]) -> None:
    staging, production = environments
    viewer = make_actor(Role.VIEWER, staging.tenant)
    before = everything_stored()

    with tenant_context(ALL), pytest.raises(NotAllowed):
        promote_override(actor=viewer, source=staging, target=production, expected_checksum=None)

    assert everything_stored() == before
