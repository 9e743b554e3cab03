"""Why an installation's config is what it is, and who said so: now, or at any instant.

All calls happen in a tenant context that shows the installation.
"""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import msgspec

from telemetry.core.config import AppBlueprint, EffectiveConfig, TenantOverride
from telemetry.core.explaining import ConfigSources, Explanation, explain_config
from telemetry.core.spec import TelemetrySpec
from telemetry.selectors.specs import version_of
from telemetry.services.configs import exceptions_behind, floor_behind, layers_at, spec_behind
from telemetry.services.layer_sources import Sources
from tenants.history import blueprint_at, exceptions_by_number, floors_at, live_period_at
from tenants.models import Installation

__all__ = ["ExplainedConfig", "explain_installation", "spec_at"]


class ExplainedConfig(NamedTuple):
    """The config of the instant ``at`` with each leaf explained, and who is behind each layer.

    From ``valid_until`` on something else is planned to hold; ``None`` if nothing is.
    """

    config: EffectiveConfig
    explanations: tuple[Explanation, ...]
    sources: Sources
    at: datetime
    valid_until: datetime | None


def spec_at(installation: Installation, at: datetime | None = None) -> TelemetrySpec:
    """The spec that the installation obeys now, or obeyed at the instant; one query. ``Conflict`` without one."""
    return spec_behind(layers_at(installation, at))


def explain_installation(
    installation: Installation, *, at: datetime | None = None, event_names: Collection[str] | None = None
) -> ExplainedConfig:
    """The installation's config now or at the instant, and why each leaf is what it is; up to six queries.

    With ``event_names``, only the events of these names are resolved, and only they are in the config. Raises
    ``Conflict`` as ``services.configs.effective_config`` does.
    """
    layers = layers_at(installation, at)
    spec = spec_behind(layers)
    found = ConfigSources(
        spec,
        msgspec.json.decode(layers.blueprint, type=AppBlueprint),
        msgspec.json.decode(layers.override or "{}", type=TenantOverride),
        floor_behind(layers),
        exceptions_behind(layers),
    )
    config, explanations = explain_config(
        found, installation=layers.identity, revision=layers.revision, event_names=event_names
    )
    sources = Sources(
        version_of(spec.meta.name, spec.meta.version),
        blueprint_at(installation.app_id, layers.at),
        live_period_at(installation.pk, layers.at),
        floors_at(installation.app_id, layers.at),
        exceptions_by_number([exception.number for exception in found.exceptions]),
    )
    return ExplainedConfig(config, explanations, sources, layers.at, layers.valid_until)
