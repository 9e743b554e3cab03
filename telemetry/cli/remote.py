"""The REST API of a studio, as far as commands need it."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple, TypeAlias
from urllib.parse import quote, urlencode

import typer

from telemetry.core.errors import (
    Conflict,
    FieldError,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    TelemetryError,
    Unavailable,
)
from telemetry.formats.sources import invalid
from telemetry.sdk.address import check_address, check_api_key
from telemetry.sdk.http import Answer, request

__all__ = ["Draft", "KeyOption", "Studio", "StudioOption", "installation_id", "open_studio"]

# Seconds for one answer; publishing a spec of thousands of events takes a few.
_PATIENCE: Final = 60.0
_MAXIMUM_BYTES: Final = 8 * 1024 * 1024
_OK, _CREATED, _NOT_FOUND, _STALE = 200, 201, 404, 412
_REFUSALS: Final[dict[int, type[NotAllowed] | type[NotAuthenticated]]] = {401: NotAuthenticated, 403: NotAllowed}
_ERRORS: Final = {404: NotFound, 409: Conflict, 428: Conflict}
# The studio is too busy or away; the same call may succeed later.
_PASSING: Final = frozenset({429, 500, 502, 503, 504})

_ID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}").fullmatch
_PLACE: Final = re.compile(r"([^/\s]+)/([^/\s]+)/([^/\s]+)").fullmatch

StudioOption: TypeAlias = Annotated[
    str | None, typer.Option("--studio", help="Address of the studio.", metavar="URL", envvar="STUDIO_URL")
]
KeyOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--key", help="Personal key; safer in the environment.", metavar="KEY", envvar="STUDIO_API_KEY"),
]


class Draft(NamedTuple):
    """The draft of a spec as YAML, and the tag of its state."""

    document: bytes
    tag: str


class Studio:
    """A studio and the key of somebody who works with it."""

    def __init__(self, url: str, key: str) -> None:
        self.url = check_address(url)
        self._key = check_api_key(key)

    def draft(self, name: str) -> Draft | None:
        """The draft of the spec; ``None`` if there is no such spec."""
        answer = self._ask("GET", f"specs/{quote(name)}/draft", accept="application/yaml")
        if answer.status == _NOT_FOUND:
            return None
        self._check(answer, _OK)
        return Draft(answer.body, answer.headers.get("etag", ""))

    def create(self, document: bytes) -> str:
        """The tag of the draft of a new spec."""
        answer = self._ask("POST", "specs", document)
        self._check(answer, _CREATED)
        return answer.headers.get("etag", "")

    def replace(self, name: str, document: bytes, tag: str) -> str | None:
        """The tag of the new state of the draft; ``None`` if it is no longer in the state of ``tag``."""
        answer = self._ask("PUT", f"specs/{quote(name)}/draft", document, if_match=tag)
        if answer.status == _STALE:
            return None
        self._check(answer, _OK)
        return answer.headers.get("etag", "")

    def publish(self, name: str, tag: str, summary: str) -> int:
        """The number of the version that the draft has become."""
        body = {"expectedRevision": int(tag.strip('W/"')), "changeSummary": summary}
        answer = self._ask("POST", f"specs/{quote(name)}/publish", json.dumps(body).encode(), as_json=True)
        self._check(answer, _OK)
        return int(_read(answer)["version"])

    def published_version(self, name: str) -> int | None:
        """The number of the published version; ``None`` if there is none, or no such spec."""
        answer = self._ask("GET", f"specs/{quote(name)}")
        if answer.status == _NOT_FOUND:
            return None
        self._check(answer, _OK)
        found = _read(answer).get("publishedVersion")
        return found if isinstance(found, int) else None

    def version(self, name: str, version: int) -> bytes:
        """The document of a version, as it was frozen."""
        answer = self._ask("GET", f"specs/{quote(name)}/versions/{version}")
        self._check(answer, _OK)
        return answer.body

    def installation_id(self, tenant: str, app: str, environment: str) -> str:
        """The id of the installation there; raises ``NotFound`` if the caller sees none."""
        asked = urlencode({"tenant": tenant, "app": app, "environment": environment})
        answer = self._ask("GET", f"installations?{asked}")
        self._check(answer, _OK)
        found = _read(answer)["items"]
        if not found:
            raise NotFound(f"the studio shows you no installation {tenant}/{app}/{environment}")
        return str(found[0]["id"])

    def inferred_spec(self, installation: str, query: Mapping[str, str]) -> dict[str, Any]:
        """A draft from what came to the installation lately, as the API tells it."""
        answer = self._ask("GET", f"installations/{installation}/inferred-spec?{urlencode(query)}")
        self._check(answer, _OK)
        return _read(answer)

    def live(self, installation: str, query: Mapping[str, str]) -> dict[str, Any]:
        """One look at the events of an installation, as the API tells it."""
        answer = self._ask("GET", f"installations/{installation}/live?{urlencode(query)}")
        self._check(answer, _OK)
        return _read(answer)

    def _ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        as_json: bool = False,
        accept: str = "application/json",
        if_match: str | None = None,
    ) -> Answer:
        sent = {"Authorization": f"Bearer {self._key}", "Accept": accept}
        if if_match is not None:
            sent["If-Match"] = if_match
        if body is not None:
            sent["Content-Type"] = "application/json" if as_json else "application/yaml"
        address = f"{self.url}/api/v1/{path}"
        return request(method, address, headers=sent, body=body, timeout=_PATIENCE, maximum_bytes=_MAXIMUM_BYTES)

    def _check(self, answer: Answer, expected: int) -> None:
        """Return if the studio answered as expected; otherwise raise what it said."""
        if answer.status != expected:
            raise _error_of(answer)


def _read(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Unavailable("no usable answer: it is no JSON object; is this the address of a studio?")
    return found


def _error_of(answer: Answer) -> TelemetryError:
    """What the studio said, as an error."""
    said = _read(answer)
    detail = said.get("detail")
    message = f"the studio answered {answer.status}: {detail if isinstance(detail, str) else 'no reason given'}"
    if answer.status in _PASSING:
        return Unavailable(message, retry_after=answer.retry_after)
    errors = [
        FieldError(str(each.get("code", "")), str(each.get("path", "")), str(each.get("message", "")))
        for each in said.get("errors") or ()
        if isinstance(each, dict)
    ]
    refusal = _REFUSALS.get(answer.status)
    return (
        refusal(message) if refusal is not None else _ERRORS.get(answer.status, TelemetryError)(message, errors=errors)
    )


def open_studio(url: str | None, key: str | None) -> Studio:
    """The studio at the address; ``InvalidDocument`` says what is missing."""
    if not url:
        raise invalid("missing_key", "name the studio with --studio or STUDIO_URL", what="call")
    if not key:
        raise invalid("missing_key", "put a personal key into STUDIO_API_KEY, or give it with --key", what="call")
    return Studio(url, key)


def installation_id(remote: Studio, given: str) -> str:
    """The id of the installation; ``InvalidDocument`` if the text names none, ``NotFound`` if the studio has none."""
    if _ID(given):
        return given
    place = _PLACE(given)
    if place is None:
        raise invalid("invalid_installation", "must be an id, or TENANT/APP/ENVIRONMENT", what="installation")
    return remote.installation_id(*place.groups())
