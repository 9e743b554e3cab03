"""Who obeys a spec is known for apps and tenants, within the context."""

import pytest

from telemetry.core.config import AppBlueprint, SpecPointer, TenantOverride
from telemetry.selectors.bindings import Binding, bindings_of
from tenants.context import tenant_context
from tests.telemetry.factories import make_installation
from tests.tenants.factories import make_draft_config, make_published_config

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"


def pointing(version: int | None = None, name: str = NAME) -> TenantOverride:
    return TenantOverride(spec=SpecPointer(name=name, version=version))


def test_apps_and_live_overrides_are_named_with_their_version() -> None:
    blueprint = AppBlueprint(spec=SpecPointer(name=NAME))
    first = make_installation("acme", blueprint=blueprint, override=pointing(3))
    second = make_installation("globex", blueprint=AppBlueprint(), override=pointing())

    found = bindings_of(NAME)

    assert sorted(found) == sorted(
        [
            Binding(f"the app {first.app.slug}", None),
            Binding(f"acme with {first.app.slug} in production", 3),
            Binding(f"globex with {second.app.slug} in production", None),
        ],
        key=lambda binding: binding.label,
    )


def test_drafts_former_overrides_and_other_specs_bind_nobody() -> None:
    installation = make_installation("acme", blueprint=AppBlueprint(), override=pointing())
    make_published_config(installation, TenantOverride())
    make_draft_config(installation, pointing())
    make_installation("globex", blueprint=AppBlueprint(), override=pointing(name="sigil"))

    assert bindings_of(NAME) == ()


def test_other_tenants_are_out_of_sight() -> None:
    mine = make_installation("acme", blueprint=AppBlueprint(), override=pointing())
    make_installation("globex", blueprint=AppBlueprint(), override=pointing())

    with tenant_context([mine.tenant_id]):
        found = bindings_of(NAME)

    assert found == (Binding(f"acme with {mine.app.slug} in production", None),)
