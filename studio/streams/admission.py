"""Opening a stream: the request goes through all of Django once, in a thread, as every other request does."""

import asyncio
import io
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.base import BaseHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from studio.api.v1.config.stream import SERVES_STREAMS
from telemetry.selectors.configs import config_revisions
from tenants.context import ALL, tenant_context
from tenants.roles import Scope
from tenants.selectors import working_keys

__all__ = ["Studio"]

# Each has a database connection of its own. Four let in about a thousand streams in two seconds.
THREADS: Final = 4


class Studio:
    """Django, for an application that lives on an event loop."""

    def __init__(self) -> None:
        self._handler = BaseHandler()
        self._handler.load_middleware()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="streams")

    async def answer(self, scope: Mapping[str, Any]) -> HttpResponseBase:
        """What Django answers to the request; a ``Welcome`` if a stream may begin."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._answer, scope)

    async def look(self, key_ids: Collection[int]) -> Mapping[int, int]:
        """Of these keys those that work now, with the revision of their installation's config. Three queries."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _look, key_ids)

    def close(self) -> None:
        """The threads end when they have done what they are at."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _answer(self, scope: Mapping[str, Any]) -> HttpResponseBase:
        set_script_prefix("/")
        request_started.send(sender=type(self), scope=scope)
        request = ASGIRequest(scope, io.BytesIO())
        request.META[SERVES_STREAMS] = True
        try:
            response = self._handler.get_response(request)
            response.close()
        finally:
            request_finished.send(sender=type(self))
        return response


def _look(key_ids: Collection[int]) -> Mapping[int, int]:
    close_old_connections()
    try:
        with tenant_context(ALL):
            holders = working_keys(key_ids, Scope.CONFIG_READ)
            revisions = config_revisions(set(holders.values()))
            return {key_id: revisions[holder] for key_id, holder in holders.items() if holder in revisions}
    finally:
        close_old_connections()
