"""One question to the studio: which config holds for this installation now?"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from telemetry.core.codec import convert_document
from telemetry.core.config import EffectiveConfig
from telemetry.core.errors import FieldError, InvalidDocument, TelemetryError, Unavailable
from telemetry.core.events import PseudonymKey
from telemetry.sdk.address import check_address, check_api_key
from telemetry.sdk.http import Answer, request
from telemetry.sdk.rules import Rules
from telemetry.sdk.stream import ChangeStream

__all__ = ["ConfigState", "Failure", "Fetched", "LoadedConfig", "StudioClient", "Unchanged", "load_config"]

# A spec of 2,000 events makes about one megabyte; sixteen leave room and still bound what a wrong server can do.
MAXIMUM_CONFIG_BYTES = 16 * 1024 * 1024
# Shorter keys could be found by trying; the core asks for the same.
_LEAST_SECRET_BYTES = 16
_WHAT = "effective config"


class ConfigState(StrEnum):
    """How the last question to the studio went. Whatever it is, the last good config stays in use.

    ``starting`` no answer yet; ``current`` the config in use is the newest; ``unreachable`` no usable answer;
    ``refused`` the key is unknown, expired, revoked or lacks the scope (401, 403); ``failing`` any other status;
    ``redirected`` the server pointed elsewhere, where the key is not sent; ``malformed`` the body was no config;
    ``older`` the config was older than the one in use.
    """

    STARTING = "starting"
    CURRENT = "current"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    FAILING = "failing"
    REDIRECTED = "redirected"
    MALFORMED = "malformed"
    OLDER = "older"


class LoadedConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A config ready for use; ``document`` is its JSON without the pseudonym key, which never goes to disk."""

    revision: int
    rules: Rules
    document: bytes


class Fetched(msgspec.Struct, frozen=True):
    """A config came, read and compiled; ``etag`` names this state of it."""

    loaded: LoadedConfig
    etag: str | None


class Unchanged(msgspec.Struct, frozen=True):
    """The config known by the ETag that was sent is still the newest."""


class Failure(msgspec.Struct, frozen=True):
    """No config came; ``status`` is the HTTP status if there was one, ``retry_after`` the pause asked for (seconds)."""

    state: ConfigState
    status: int | None = None
    retry_after: float | None = None


def load_config(body: bytes) -> LoadedConfig:
    """Read and compile the body of ``GET /api/v1/config``; raises TelemetryError when it is not usable as a whole.

    A key with the scope ``config:secret`` gets the tenant's pseudonym key beside the config; it is split off first.
    Fields this version does not know are refused: one might be a rule that protects people, which an older tracker
    would not obey. The studio raises ``format`` when it changes the document.
    """
    try:
        fields = msgspec.json.decode(body, type=dict[str, Any])
        # What is taken out here is in nothing that is kept, written or shown from now on.
        key = msgspec.convert(fields.pop("pseudonymKey", None), PseudonymKey | None)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # Without the parser's words and without a cause: they may hold a piece of the key.
        raise _broken("", "must be a JSON object with a config and at most one pseudonym key") from None
    if key is not None and len(key.secret) < _LEAST_SECRET_BYTES:
        raise _broken("pseudonymKey.secret", f"must have at least {_LEAST_SECRET_BYTES} bytes")
    config = convert_document(fields, EffectiveConfig, what=_WHAT)
    document = msgspec.json.encode(fields)
    return LoadedConfig(revision=config.revision, rules=Rules.of(config, key=key), document=document)


def _broken(path: str, message: str) -> InvalidDocument:
    return InvalidDocument([FieldError(code="invalid_config", path=path, message=message)], what=_WHAT)


class StudioClient:
    """Asks one studio with one API key. Keeps no state but these two, so any thread may ask."""

    def __init__(self, url: str, api_key: str, *, timeout: float = 10.0) -> None:
        """Raises InvalidDocument when the address is not https (loopback aside) or the key cannot travel."""
        self._address = url
        self._url = f"{check_address(url)}/api/v1/config"
        self._api_key = check_api_key(api_key)
        self._timeout = timeout

    def __repr__(self) -> str:
        return "StudioClient()"

    def stream(self, *, on_news: Callable[[str | None], None]) -> ChangeStream:
        """A stream of this studio's changes with this key, not started yet."""
        return ChangeStream(self._address, self._api_key, on_news=on_news)

    def fetch(self, etag: str | None) -> Fetched | Unchanged | Failure:
        """Ask once and return what came, never raising; ``etag`` is that of the config in use."""
        headers = {"Authorization": f"Bearer {self._api_key}", "Accept": "application/json"}
        if etag is not None:
            headers["If-None-Match"] = etag
        try:
            answer = request(
                "GET", self._url, headers=headers, timeout=self._timeout, maximum_bytes=MAXIMUM_CONFIG_BYTES
            )
        except Unavailable:
            return Failure(ConfigState.UNREACHABLE)
        if answer.status == 200:
            return _read(answer)
        if answer.status == 304 and etag is not None:
            return Unchanged()
        return Failure(_state_of(answer.status), answer.status, answer.retry_after)


def _read(answer: Answer) -> Fetched | Failure:
    try:
        return Fetched(load_config(answer.body), _usable_etag(answer))
    except TelemetryError:
        return Failure(ConfigState.MALFORMED, answer.status)


def _usable_etag(answer: Answer) -> str | None:
    # It goes back as a header; what could break out of one is not worth remembering.
    etag = answer.headers.get("etag", "")
    return etag if etag.isascii() and etag.isprintable() and 0 < len(etag) <= 200 else None


def _state_of(status: int) -> ConfigState:
    if status in (401, 403):
        return ConfigState.REFUSED
    return ConfigState.REDIRECTED if 300 <= status < 400 and status != 304 else ConfigState.FAILING
