"""A studio of its own for each test: publishes configs over real HTTP, with ETags, as the real one does."""

import base64
import json
from typing import Any

from telemetry.core.codec import encode_document
from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.resolution import resolve_config
from tests.core.builders import make_installation, make_sigil_spec
from tests.sdk.servers import Asked, Reply, ScriptedServer

__all__ = ["API_KEY", "SECRET", "WORKFLOW_STEP", "FakeStudio", "make_document"]

API_KEY = "tgs_prd_app_canary1234567890"
SECRET = b"canary: sixteen bytes or more"
WORKFLOW_STEP = "sigil.telemetry.workflow_step"


def make_document(revision: int, *, enabled: bool = True, **fields: Any) -> dict[str, Any]:
    """The effective config of the seed's spec as a document, with its one event on or off."""
    override = TenantOverride(events={WORKFLOW_STEP: EventOverride(enabled=enabled)})
    config = resolve_config(make_sigil_spec(), override=override, installation=make_installation(), revision=revision)
    document: dict[str, Any] = json.loads(encode_document(config))
    return {**document, **fields}


class FakeStudio:
    """Answers ``GET /api/v1/config`` with what was published last: 200, 304, or what it was told to answer instead."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.server.answer = self._answer
        self.body = b""
        self.etag = ""
        self.instead: Reply | None = None

    def publish(self, revision: int, *, key: bool = False, **fields: Any) -> str:
        """Publish a config and return its ETag; with ``key``, the tenant's pseudonym key comes with it."""
        document = make_document(revision, **fields)
        if key:
            document["pseudonymKey"] = {"epoch": 3, "secret": base64.b64encode(SECRET).decode()}
        self.body = json.dumps(document).encode()
        self.etag = f'W/"{revision}-{len(self.server.asked)}"'
        return self.etag

    def _answer(self, asked: Asked) -> Reply:
        if self.instead is not None:
            return self.instead
        if asked.headers.get("authorization") != f"Bearer {API_KEY}":
            return Reply(401)
        if asked.path != "/api/v1/config":
            return Reply(404)
        if asked.headers.get("if-none-match") == self.etag:
            return Reply(304, headers={"ETag": self.etag})
        return Reply(200, self.body, {"ETag": self.etag, "Content-Type": "application/json"}).gzipped()
