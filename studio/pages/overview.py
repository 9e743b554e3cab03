"""The overview: what is there, what was published lately, what needs attention."""

from typing import Any

from django.http import HttpRequest

__all__ = ["overview_context"]


def overview_context(request: HttpRequest) -> dict[str, Any]:
    return {}
