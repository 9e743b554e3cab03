"""Comparing what two versions of an installation's override ask for, and what would come of each today."""

from telemetry.core.config import TenantOverride
from telemetry.core.diff.changes import SpecDiff
from telemetry.core.diff.overrides import diff_overrides
from telemetry.selectors.configs import config_layers
from telemetry.services.configs import layers_under, resolve_layers
from tenants.mappers import override_of
from tenants.models import Installation
from tenants.selectors import config_by_number

__all__ = ["compare_configs", "compare_overrides", "override_at_number"]


def override_at_number(installation: Installation, number: int | None) -> TenantOverride:
    """What version ``number`` says; ``None`` stands for the app's defaults. One query; ``NotFound``."""
    return TenantOverride() if number is None else override_of(config_by_number(installation, number))


def compare_configs(installation: Installation, before: int | None, after: int | None) -> SpecDiff:
    """What changed from one version to another; ``None`` stands for the app's defaults. ``NotFound``, and as below."""
    return compare_overrides(
        installation, override_at_number(installation, before), override_at_number(installation, after)
    )


def compare_overrides(installation: Installation, before: TenantOverride, after: TenantOverride) -> SpecDiff:
    """Each wish that differs, judged by what both come to under the spec, blueprint and floors of today.

    Raises ``Conflict`` while no published spec is bound. One query, and one for each that binds another spec than now.
    """
    layers = config_layers(installation.pk)
    old, new = (resolve_layers(layers_under(layers, each)) for each in (before, after))
    return diff_overrides(before, after, old, new)
