"""All tools, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from studio.mcp.tool import Tool
from studio.mcp.tools import events, installations, samples, violations

__all__ = ["TOOLS"]

TOOLS: Final[Mapping[str, Tool]] = MappingProxyType(
    {tool.name: tool for tool in (*events.TOOLS, *installations.TOOLS, *violations.TOOLS, *samples.TOOLS)}
)
