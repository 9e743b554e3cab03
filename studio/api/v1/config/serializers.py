"""The query of the config that apps fetch."""

from typing import Annotated

import msgspec

from studio.api.shapes import Shape

__all__ = ["ConfigQuery"]


class ConfigQuery(Shape, frozen=True, kw_only=True):
    """How the config is wanted."""

    explain: Annotated[
        bool, msgspec.Meta(description="1: with the provenance of each value, which layer set it and which gave way.")
    ] = False
