"""Choosing between JSON and YAML by the header ``Accept``."""

from collections.abc import Iterable

from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

__all__ = ["ContentNegotiation"]


class ContentNegotiation(DefaultContentNegotiation):
    """Obeys the weights of ``Accept`` (``q=``), which REST framework's own passes over."""

    def select_renderer(
        self,
        request: Request,
        renderers: Iterable[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - REST framework's signature
    ) -> tuple[BaseRenderer, str]:
        """The renderer of the type that the client likes best, the first if it has no wish.

        Raises ``NotAcceptable`` if it likes none.
        """
        by_type = {str(renderer.media_type): renderer for renderer in renderers}
        types = list(by_type)
        preferred = request.get_preferred_type(types) if request.accepted_types else types[0]
        if preferred is None:
            raise NotAcceptable
        return by_type[preferred], preferred
