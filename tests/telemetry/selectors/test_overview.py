"""What the overview shows: counts, what waits, what went live, as far as one's tenants go."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.models import SpecRecord
from telemetry.selectors import overview
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_draft, make_installation, make_published
from tests.tenants import factories as tenants

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"


def test_counts_are_of_what_the_context_shows(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_published()
    make_draft(make_spec(make_event("a"), make_event("b"), name="other"))
    acme = make_installation("acme")
    globex = tenants.make_installation(tenants.make_tenant("globex"), acme.app)
    for installation in (acme, globex, globex):
        tenants.make_key(installation)

    with tenant_context(ALL), django_assert_num_queries(1):
        everything = overview.counts()
    with tenant_context([acme.tenant_id]):
        of_acme = overview.counts()

    assert everything == (2, 2, 1, 2, 1, 3, 3)
    assert of_acme == (1, 1, 1, 2, 1, 3, 1)


def test_keys_that_do_not_work_are_not_counted() -> None:
    key = tenants.make_key(make_installation(blueprint=AppBlueprint())).key
    with tenant_context(ALL):
        type(key).objects.update(revoked_at=timezone.now())
        assert overview.counts().keys == 0


# What has no config


def test_an_installation_without_a_spec_is_named() -> None:
    make_installation("acme", blueprint=AppBlueprint())

    with tenant_context(ALL):
        (found,) = overview.broken_bindings().unbound
    assert (found.tenant, found.environment, found.spec_name) == ("Acme", "production", "")


def test_an_installation_of_a_spec_that_is_not_published_is_named() -> None:
    make_draft()
    make_installation("acme")

    with tenant_context(ALL):
        assert [each.spec_name for each in overview.broken_bindings().unbound] == ["sigil.telemetry"]


def test_the_tenants_own_pointer_counts_before_the_apps() -> None:
    make_published()
    lost = TenantOverride(spec=SpecPointer(name="sigil.telemetry", version=9))
    make_installation("acme", override=lost)
    make_installation("globex")

    with tenant_context(ALL):
        assert [each.tenant for each in overview.broken_bindings().unbound] == ["Acme"]


def test_an_installation_that_is_bound_is_not_named() -> None:
    make_published()
    make_installation("acme")

    with tenant_context(ALL):
        assert overview.broken_bindings().unbound == []


# Names that lead nowhere


def dangling(installation: Installation) -> list[str]:
    with tenant_context([installation.tenant_id]):
        return [each.reference for each in overview.broken_bindings().dangling]


@pytest.mark.parametrize("reference", [STEP, f"{STEP}@1"])
def test_a_reference_to_an_event_that_is_there_does_not_dangle(reference: str) -> None:
    make_published()
    override = TenantOverride(events={reference: EventOverride(enabled=False)})

    assert dangling(make_installation("acme", override=override)) == []


def test_references_of_override_and_blueprint_that_lead_nowhere_are_named() -> None:
    make_published()
    blueprint = AppBlueprint(
        spec=SpecPointer(name="sigil.telemetry"), events={"of_blueprint": EventOverride(enabled=False)}
    )
    override = TenantOverride(
        events={f"{STEP}@2": EventOverride(enabled=False), "of_override": EventOverride(enabled=False)}
    )

    installation = make_installation("acme", blueprint=blueprint, override=override)

    assert dangling(installation) == ["of_blueprint", "of_override", f"{STEP}@2"]


def test_other_tenants_references_are_not_shown() -> None:
    make_published()
    make_installation("acme", override=TenantOverride(events={"lost": EventOverride(enabled=False)}))

    assert dangling(make_installation("globex")) == []


# What waits, what went live


def test_drafts_with_changes_are_listed() -> None:
    make_published()
    make_draft(make_spec(name="waiting"))

    assert [record.name for record in overview.changed_drafts()] == ["waiting"]
    assert SpecRecord.objects.count() == 2


def test_overrides_that_wait_are_listed_and_those_that_live_are_lately() -> None:
    make_published()
    installation = make_installation("acme", override=TenantOverride(enabled=False))
    draft = tenants.make_draft_config(installation, TenantOverride(enabled=True))
    ago = timezone.now() - timedelta(days=1)

    with tenant_context(ALL):
        assert [config.pk for config in overview.drafted_overrides()] == [draft.pk]
        assert [config.number for config in overview.recent_overrides(ago)] == [1]
        assert [str(version) for version in overview.recent_versions(ago)] == ["sigil.telemetry@1"]
        assert not overview.recent_versions(timezone.now())


def test_keys_that_end_soon_are_listed_the_first_to_end_first() -> None:
    installation = make_installation("acme", blueprint=AppBlueprint())
    now = timezone.now()
    for name, days in (("later", 300), ("second", 5), ("first", 2)):
        tenants.make_key(installation, name=name, expires_at=now + timedelta(days=days))
    tenants.make_key(installation, name="forever")

    with tenant_context(ALL):
        assert [key.name for key in overview.expiring_keys(timedelta(days=14))] == ["first", "second"]


def test_lists_are_cut_to_what_a_person_reads() -> None:
    for number in range(overview.SHOWN + 2):
        make_draft(make_spec(name=f"spec{number}"))

    assert len(overview.changed_drafts()) == overview.SHOWN
