"""Choosing between JSON and YAML by the header ``Accept``."""

from collections.abc import Sequence

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
        renderers: Sequence[BaseRenderer],
        format_suffix: str | None = None,  # noqa: ARG002 - REST framework's signature
    ) -> tuple[BaseRenderer, str]:
        """The renderer of the type that the client likes best, the first if it has no wish.

        Raises ``NotAcceptable`` if it likes none.
        """
        if not request.accepted_types:
            return renderers[0], str(renderers[0].media_type)
        by_type = {str(renderer.media_type): renderer for renderer in renderers}
        preferred = request.get_preferred_type(list(by_type))
        if preferred is None:
            raise NotAcceptable
        return by_type[preferred], preferred
