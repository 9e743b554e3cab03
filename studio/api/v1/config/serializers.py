"""The config that apps fetch, and how they ask for it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from studio.api.shapes import Shape
from telemetry.core.config import EffectiveConfig
from telemetry.core.events import PseudonymKey
from telemetry.core.values import EMPTY_MAPPING
from telemetry.services.explanations import LeafExplanation

__all__ = ["AppConfig", "AppConfigQuery", "ConfigQuery", "ExplainedAppConfig", "PersonConfigQuery"]


class ConfigQuery(Shape, frozen=True, kw_only=True):
    """How the config is wanted."""

    explain: Annotated[
        bool,
        msgspec.Meta(
            description="1: with the story of each value: which layer set it, in which version, by whom and when, and "
            "what it would be without."
        ),
    ] = False


class AppConfigQuery(ConfigQuery, frozen=True, kw_only=True):
    """How an app wants its config."""

    preview: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1,
                le=2_147_483_647,
                description="The number of a version that is up for review, instead of what is live. Needs the scope "
                "`config:preview`; the answer is never kept by anybody.",
            ),
        ]
        | None
    ) = None


class PersonConfigQuery(AppConfigQuery, frozen=True, kw_only=True):
    """How a person wants an installation's config."""

    at: (
        Annotated[
            datetime,
            msgspec.Meta(tz=True, description="What was in force at this instant; of one ahead, what is planned."),
        ]
        | None
    ) = None
    event: Annotated[str, msgspec.Meta(max_length=211, description="Only this event, by its name.")] = ""


class AppConfig(EffectiveConfig, frozen=True, kw_only=True):
    """The effective config, with the tenant's pseudonym key for the keys that may have it."""

    pseudonym_key: PseudonymKey | msgspec.UnsetType = msgspec.UNSET


class ExplainedAppConfig(AppConfig, frozen=True, kw_only=True):
    """The config with `explain=1`: `provenance` tells the story of each value, by its path."""

    provenance: Mapping[str, LeafExplanation] = EMPTY_MAPPING  # type: ignore[assignment]  # richer than a provenance
