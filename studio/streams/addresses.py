"""Where streams are. Apart from everything else, so that whoever passes requests on need not load it."""

from typing import Final

__all__ = ["PATH"]

PATH: Final = "/api/v1/config/stream"
