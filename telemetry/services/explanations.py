"""Why an installation's config is what it is, and who said so: now, or at any instant.

All calls happen in a tenant context that shows the installation.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple, cast

import msgspec

from telemetry.core.config import AppBlueprint, EffectiveConfig, TenantOverride
from telemetry.core.enums import Layer
from telemetry.core.explaining import NOTHING, ConfigSources, Explanation, explain_config
from telemetry.core.plain import to_plain
from telemetry.core.spec import TelemetrySpec
from telemetry.core.values import Value
from telemetry.selectors.configs import ConfigLayers
from telemetry.selectors.specs import version_of
from telemetry.services.configs import exceptions_behind, floor_behind, layers_at, secret_fields, spec_behind
from telemetry.services.layer_sources import Sources
from tenants.history import blueprint_at, exceptions_by_number, floors_at, live_period_at
from tenants.models import Installation

__all__ = ["ExplainedConfig", "LeafExplanation", "LeafStep", "explain_installation", "explained_config"]


class LeafStep(Value, frozen=True, kw_only=True):
    """What one layer asked of a value, and what the value was after that; ``path`` is the place in the layer."""

    layer: Layer
    path: str = ""
    asked: Any = None
    value: Any = None


class LeafExplanation(Value, frozen=True, kw_only=True):
    """Why a value is what it is: the layer that set it, in which version, by whom and when.

    ``path`` is the place in that layer, ``limited`` are the layers whose wish was not followed. ``without`` is what the
    value would be if that layer said nothing; it is left out where nothing else says it. ``steps`` run from the weakest
    layer to the strongest.
    """

    layer: Layer
    path: str = ""
    limited: tuple[Layer, ...] = ()
    source: str = ""
    version: int | None = None
    by: str = ""
    at: datetime | None = None
    ends_at: datetime | None = None
    note: str = ""
    without: Any = msgspec.UNSET
    steps: tuple[LeafStep, ...] = ()


class ExplainedConfig(NamedTuple):
    """The config of the instant ``at`` with each leaf explained, who is behind each layer, and the spec as a whole.

    From ``valid_until`` on something else is planned to hold; ``None`` if nothing is.
    """

    config: EffectiveConfig
    explanations: tuple[Explanation, ...]
    sources: Sources
    layers: ConfigLayers
    spec: TelemetrySpec

    @property
    def at(self) -> datetime:
        """The instant."""
        return self.layers.at

    @property
    def valid_until(self) -> datetime | None:
        """The next instant at which something is planned."""
        return self.layers.valid_until

    def leaves(self) -> dict[str, LeafExplanation]:
        """Each leaf's explanation by its path, as it is told to programs."""
        return {each.path: self._leaf(each) for each in self.explanations}

    def _leaf(self, leaf: Explanation) -> LeafExplanation:
        source = self.sources.of(leaf)
        return LeafExplanation(
            layer=leaf.layer,
            path=leaf.place,
            limited=leaf.limited,
            source=source.title,
            version=source.version,
            by=source.by,
            at=source.at,
            ends_at=source.ends_at,
            note=source.note,
            without=msgspec.UNSET if leaf.without is NOTHING else to_plain(leaf.without),
            steps=tuple(
                LeafStep(layer=step.layer, path=step.path, asked=to_plain(step.asked), value=to_plain(step.value))
                for step in leaf.steps
            ),
        )


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
    return ExplainedConfig(config, explanations, sources, layers, spec)


def explained_config(explained: ExplainedConfig, *, with_secret: bool = False) -> dict[str, object]:
    """The config in document terms, with a ``LeafExplanation`` in place of each bare provenance."""
    document = cast("dict[str, object]", to_plain(msgspec.structs.replace(explained.config, provenance={})))
    document["provenance"] = msgspec.to_builtins(explained.leaves())
    return document | (secret_fields(explained.layers) if with_secret else {})
