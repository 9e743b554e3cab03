"""The config that apps fetch, and how they ask for it."""

from typing import Annotated

import msgspec

from studio.api.shapes import Shape
from telemetry.core.config import EffectiveConfig
from telemetry.core.events import PseudonymKey

__all__ = ["AppConfig", "ConfigQuery"]


class ConfigQuery(Shape, frozen=True, kw_only=True):
    """How the config is wanted."""

    explain: Annotated[
        bool, msgspec.Meta(description="1: with the provenance of each value, which layer set it and which gave way.")
    ] = False


class AppConfig(EffectiveConfig, frozen=True, kw_only=True):
    """The effective config, with the tenant's pseudonym key for the keys that may have it."""

    pseudonym_key: PseudonymKey | msgspec.UnsetType = msgspec.UNSET
