"""The short way to a config: the very answers of the long way, never an older one, and the long way when in doubt."""

import json
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import RequestFactory
from django.utils import timezone

from studio.api import fast_config
from studio.api.fast_config import FastConfig
from studio.metrics.process import counted
from telemetry.core.config import AppBlueprint, EventOverride, TenantOverride
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import ApiKey, Installation
from tenants.roles import Role, Scope
from tenants.services.config_schedules import schedule_config
from tenants.services.keys import IssuedKey, revoke_key, rotate_key
from tenants.services.tenants import renew_pseudonym_key, set_tenant_active
from tests.studio.api.calls import caller_with_role
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import accept_any, make_draft_config, make_key, make_published_config
from tests.tenants.leases import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

CONFIG = "/api/v1/config"
STEP = "sigil.telemetry.workflow_step"


class Said(NamedTuple):
    """One answer; headers in order of name, whatever their order was."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        [value] = [value for found, value in self.headers if found == name]
        return value


class Counting:
    """The application behind, and how often it was asked."""

    def __init__(self) -> None:
        self.application = get_wsgi_application()
        self.asked = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        return self.application(environ, start_response)


class Ways:
    """Both ways to a config."""

    def __init__(self) -> None:
        self.behind = Counting()
        self.front = FastConfig(self.behind)

    def long(self, **request: Any) -> Said:
        return say(self.behind.application, request)

    def short(self, **request: Any) -> Said:
        """The answer, which must not have gone the long way."""
        asked = self.behind.asked
        said = say(self.front, request)
        assert self.behind.asked == asked, said.status
        return said

    def any(self, **request: Any) -> Said:
        return say(self.front, request)

    def warm(self, **request: Any) -> None:
        """The process has seen this kind of request, and holds its lease."""
        self.any(**request)
        wait_until(lambda: self.front.lease.current() is not None)
        self.any(**request)


def say(application: Any, request: dict[str, Any]) -> Said:
    environ = environment(**request)
    started: list[Any] = []
    result = application(environ, lambda *said: started.append(said))
    try:
        body = b"".join(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    [(status, headers, *_)] = started
    return Said(status, tuple(sorted(headers)), body)


def environment(*, key: str = "", method: str = "GET", path: str = CONFIG, **headers: str) -> dict[str, Any]:
    """As the server makes it; ``query`` and what is not a header are named in small letters."""
    query = headers.pop("query", "")
    environ = dict(RequestFactory().generic(method, path, secure=headers.pop("secure", "") == "yes").environ)
    for name in ("HTTP_COOKIE", "CONTENT_TYPE", "CONTENT_LENGTH"):
        environ.pop(name, None)
    environ |= {"QUERY_STRING": query, "HTTP_HOST": "testserver"}
    if key:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return environ | {f"HTTP_{name.upper()}": value for name, value in headers.items()}


@pytest.fixture
def ways() -> Iterator[Ways]:
    ways = Ways()
    yield ways
    ways.front.lease.stop()


@pytest.fixture
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STUDIO_REQUESTS_PER_MINUTE", 1_000_000)


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def issued(installation: Installation) -> IssuedKey:
    return make_key(installation)


# The very same answers


def test_operators_see_configs_that_were_answered_from_memory(ways: Ways, issued: IssuedKey) -> None:
    ways.warm(key=issued.text)
    tag = ways.short(key=issued.text).header("ETag")
    before = from_memory()

    for _ in range(3):
        ways.short(key=issued.text)
    ways.short(key=issued.text, if_none_match=tag)
    ways.long(key=issued.text)

    after = from_memory()
    assert {status: after[status] - before[status] for status in after} == {"200": 3, "304": 1}


def from_memory() -> dict[str, float]:
    """By status, how many requests are counted as answered in front of Django."""
    return {
        sample.labels["status"]: sample.value
        for family in counted().collect()
        for sample in family.samples
        if sample.name == "studio_http_requests_total" and sample.labels["way"] == "memory"
    }


# One database for all of them: what is compared is stateless, and emptying the tables takes longer than asking.
SAME: list[dict[str, str]] = [
    {},
    {"accept": "application/json"},
    {"accept": "*/*"},
    {"accept": "text/html, */*;q=0.1"},
    {"accept_encoding": "identity"},
    {"accept_encoding": "gzip"},
    {"accept_encoding": "zstd"},
    {"accept_encoding": "gzip, deflate, br, zstd"},
    {"accept_encoding": "br;q=1.0, gzip;q=0.5, *;q=0"},
    {"accept_encoding": "nonsense;;q"},
    {"if_none_match": "{tag}"},
    {"if_none_match": "{strong}"},
    {"if_none_match": '"other", {tag}'},
    {"if_none_match": "{tag},,garbage"},
    {"if_none_match": '"other"'},
    {"if_none_match": "garbage"},
    {"if_none_match": ""},
    {"if_none_match": "{tag}", "accept_encoding": "gzip"},
    {"if_none_match": '"other"', "accept_encoding": "gzip"},
    {"if_modified_since": "Sat, 29 Oct 2094 19:43:31 GMT"},
    {"range": "bytes=0-10"},
    {"accept_language": "de"},
    {"origin": "https://evil.example"},
    {"x_request_id": "abc"},
    {"x_forwarded_for": "1.2.3.4, 5.6.7.8"},
    {"x_forwarded_proto": "https"},
    {"x_http_method_override": "DELETE"},
    {"user_agent": "telemetry-studio-sdk"},
    {"secure": "yes"},
    {"host": "localhost:8000"},
    {"authorization": "bearer {key}"},
    {"authorization": "BEARER  {key} "},
]

IN_DOUBT: list[tuple[dict[str, str], str]] = [
    ({"method": "HEAD"}, "200 OK"),
    ({"method": "POST"}, "405 Method Not Allowed"),
    ({"method": "BREW"}, "405 Method Not Allowed"),
    ({"path": f"{CONFIG}/"}, "404 Not Found"),
    ({"path": "/api/v1/specs"}, "403 Forbidden"),
    ({"query": "explain=1"}, "200 OK"),
    ({"query": "explain=0"}, "200 OK"),
    ({"query": "explain=maybe"}, "400 Bad Request"),
    ({"query": "&"}, "200 OK"),
    ({"query": "tenant=other"}, "400 Bad Request"),
    ({"query": "explain=1&explain=1"}, "400 Bad Request"),
    ({"query": "key=\xff%ff%00"}, "400 Bad Request"),
    ({"cookie": "sessionid=abc"}, "200 OK"),
    ({"if_none_match": "*"}, "304 Not Modified"),
    ({"if_none_match": ' * , "other"'}, "200 OK"),
    ({"accept": "text/html"}, "406 Not Acceptable"),
    ({"host": "evil.example"}, "400 Bad Request"),
    ({"authorization": ""}, "401 Unauthorized"),
    ({"authorization": "Bearer"}, "401 Unauthorized"),
    ({"authorization": "Bearer \xff\xfe"}, "401 Unauthorized"),
    ({"authorization": "Basic {key}"}, "401 Unauthorized"),
    ({"authorization": "Bearer {key},Bearer {key}"}, "401 Unauthorized"),
    ({"authorization": "Bearer {key}x"}, "401 Unauthorized"),
    ({"authorization": "Bearer {ingest}"}, "403 Forbidden"),
    ({"authorization": "Bearer {person}"}, "403 Forbidden"),
    ({"authorization": "Bearer {unbound}"}, "409 Conflict"),
    ({"authorization": "Bearer {unbound}", "if_none_match": '"other"'}, "409 Conflict"),
]


@pytest.mark.parametrize("scopes", [(Scope.CONFIG_READ,), (Scope.CONFIG_READ, Scope.CONFIG_SECRET)])
def test_the_short_way_says_what_the_long_way_says(
    ways: Ways, installation: Installation, scopes: tuple[Scope, ...]
) -> None:
    key = make_key(installation, *scopes).text
    tag = ways.long(key=key).header("ETag")
    words = {"tag": tag, "strong": tag.removeprefix("W/"), "key": key}
    for headers in SAME:
        request = {"key": key} | {name: value.format(**words) for name, value in headers.items()}
        ways.warm(**request)

        short = ways.short(**request)

        assert short == ways.long(**request), headers
        has_it = "{" in headers.get("if_none_match", "")
        assert short.status == ("304 Not Modified" if has_it else "200 OK"), headers


def test_whatever_is_in_doubt_goes_the_long_way(ways: Ways, installation: Installation, issued: IssuedKey) -> None:
    words = {
        "key": issued.text,
        "ingest": make_key(installation, Scope.INGEST).text,
        "person": caller_with_role(Role.ADMIN).headers["Authorization"].removeprefix("Bearer "),
        "unbound": make_key(make_installation("unbound", blueprint=AppBlueprint())).text,
    }
    ways.warm(key=issued.text)
    for headers, status in IN_DOUBT:
        request = {"key": issued.text} | {name: value.format(**words) for name, value in headers.items()}
        for _ in range(2):
            ways.any(**request)
        asked = ways.behind.asked

        said = ways.any(**request)

        assert ways.behind.asked == asked + 1, headers
        assert said == ways.long(**request), headers
        assert said.status == status, headers


def test_an_answer_that_depends_on_something_unknown_is_never_given_here(
    ways: Ways, issued: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    middleware = "django.middleware.locale.LocaleMiddleware"
    monkeypatch.setattr(settings, "MIDDLEWARE", [*settings.MIDDLEWARE, middleware])
    ways.behind.application = get_wsgi_application()
    ways.warm(key=issued.text)
    asked = ways.behind.asked

    said = ways.any(key=issued.text)

    assert "Accept-Language" in said.header("Vary")
    assert ways.behind.asked == asked + 1


def test_a_config_is_one_object_however_often_it_goes_out(ways: Ways, issued: IssuedKey) -> None:
    ways.warm(key=issued.text)
    environ = environment(key=issued.text, accept_encoding="gzip")

    [first], [second] = (ways.front(dict(environ), lambda *_: None) for _ in range(2))

    assert first is second


# Never an older one


def test_what_is_published_shows_in_the_very_next_answer(
    ways: Ways, installation: Installation, issued: IssuedKey
) -> None:
    ways.warm(key=issued.text)
    before = ways.short(key=issued.text)

    make_published_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False)}))

    after = ways.short(key=issued.text, if_none_match=before.header("ETag"))
    assert after.status == "200 OK"
    assert b'"enabled":false' in after.body
    assert after == ways.long(key=issued.text)


def test_a_key_that_is_revoked_is_refused_in_the_very_next_answer(ways: Ways, issued: IssuedKey) -> None:
    ways.warm(key=issued.text)
    tag = ways.short(key=issued.text).header("ETag")

    with tenant_context(ALL):
        revoke_key(actor=SYSTEM, key=issued.key)

    assert ways.any(key=issued.text, if_none_match=tag).status == "401 Unauthorized"
    assert ways.any(key=issued.text) == ways.long(key=issued.text)


def test_a_tenant_that_is_deactivated_is_refused_and_comes_back(
    ways: Ways, installation: Installation, issued: IssuedKey
) -> None:
    ways.warm(key=issued.text)

    with tenant_context(ALL):
        set_tenant_active(actor=SYSTEM, tenant=installation.tenant, is_active=False)
    refused = ways.any(key=issued.text)
    with tenant_context(ALL):
        set_tenant_active(actor=SYSTEM, tenant=installation.tenant, is_active=True)

    assert refused.status == "401 Unauthorized"
    assert ways.any(key=issued.text).status == "200 OK"
    assert ways.short(key=issued.text).status == "200 OK"


def test_a_key_ends_with_its_overlap_though_nothing_changes_then(ways: Ways, issued: IssuedKey) -> None:
    ways.warm(key=issued.text)

    with tenant_context(ALL):
        rotate_key(actor=SYSTEM, key=issued.key, overlap=timedelta(seconds=1.5))

    assert ways.any(key=issued.text).status == "200 OK"
    wait_until(lambda: ways.any(key=issued.text).status == "401 Unauthorized")
    with tenant_context(ALL):
        expired_at = ApiKey.objects.get(pk=issued.key.pk).expires_at
    assert expired_at is not None
    assert expired_at <= timezone.now()


def test_a_new_pseudonym_key_reaches_those_who_may_have_it(ways: Ways, installation: Installation) -> None:
    key = make_key(installation, Scope.CONFIG_READ, Scope.CONFIG_SECRET).text
    ways.warm(key=key)

    with tenant_context(ALL):
        renew_pseudonym_key(actor=SYSTEM, tenant=installation.tenant)

    assert b'"pseudonymKey":{"epoch":2' in ways.short(key=key).body


def test_a_planned_change_holds_from_its_instant_on_though_no_job_has_run(
    ways: Ways, installation: Installation, issued: IssuedKey, unlimited: None
) -> None:
    ways.warm(key=issued.text)
    draft = make_draft_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False)}))
    with tenant_context(ALL):
        period = schedule_config(
            actor=SYSTEM,
            config=draft,
            change_summary="Quiet for a moment",
            expected_checksum=draft.checksum,
            expected_published_number=None,
            check=accept_any,
            starts_at=timezone.now() + timedelta(seconds=1),
        )
    assert b'"enabled":false' not in ways.short(key=issued.text).body

    seen: list[tuple[datetime, Said]] = []
    while not seen or (b'"enabled":false' not in seen[-1][1].body):
        seen.append((timezone.now(), ways.short(key=issued.text)))

    asked_at = [at for at, said in seen[:-1] if b'"enabled":false' not in said.body]
    assert len(seen) > 1
    assert max(asked_at) < period.starts_at
    assert ways.short(key=issued.text) == ways.long(key=issued.text)


def test_two_keys_never_see_each_others_config(ways: Ways, issued: IssuedKey) -> None:
    other = make_key(make_installation("other"))
    ways.warm(key=issued.text)
    ways.warm(key=other.text)

    mine = ways.short(key=issued.text)
    theirs = ways.short(key=other.text, if_none_match=mine.header("ETag"))

    assert b'"tenant":"acme"' in mine.body
    assert b'"tenant":"other"' in theirs.body


def test_without_a_lease_every_request_goes_the_long_way(ways: Ways, issued: IssuedKey) -> None:
    ways.warm(key=issued.text)
    ways.front.lease.stop()
    asked = ways.behind.asked

    assert ways.any(key=issued.text).status == "200 OK"
    assert ways.behind.asked == asked + 1


def test_a_key_whose_use_is_to_be_noted_again_is_checked_again(
    ways: Ways, issued: IssuedKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways.warm(key=issued.text)
    with tenant_context(ALL):
        ApiKey.objects.filter(pk=issued.key.pk).update(last_used_at=timezone.now() - timedelta(hours=2))
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)

    ways.short(key=issued.text)

    with tenant_context(ALL):
        noted_at = ApiKey.objects.get(pk=issued.key.pk).last_used_at
    assert noted_at is not None
    assert timezone.now() - noted_at < timedelta(minutes=1)


# Limits


def test_requests_count_here_as_they_do_there(ways: Ways, issued: IssuedKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "STUDIO_REQUESTS_PER_MINUTE", 1_000_000)
    ways.warm(key=issued.text)
    monkeypatch.setattr(settings, "STUDIO_REQUESTS_PER_MINUTE", 8)
    front, behind = (FastConfig(ways.behind), ways.front)
    front.lease.stop()

    statuses = [(front if turn % 2 else behind) for turn in range(12)]
    said = [say(application, {"key": issued.text}).status for application in statuses]

    # Some requests of the warming up fall into the same minute.
    refused = [status for status in said if status != "200 OK"]
    assert refused
    assert set(refused) == {"429 Too Many Requests"}
    assert said == sorted(said)


def test_a_memory_that_is_full_makes_room(
    ways: Ways, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fast_config, "MOST_GRANTS", 3)
    monkeypatch.setattr(fast_config, "MOST_SURROUNDINGS", 3)
    for number in range(8):
        ways.warm(key=make_key(installation).text, accept=f"application/json, text/x-{number}")

    assert 0 < len(ways.front._grants) <= 3
    assert 0 < len(ways.front._surroundings) <= 3


# Many at once


def test_no_answer_is_older_than_the_last_publish_call_that_had_returned(
    ways: Ways, installation: Installation, issued: IssuedKey, unlimited: None
) -> None:
    other = Ways()
    ways.warm(key=issued.text)
    other.warm(key=issued.text)
    published = [0.0]
    is_over = threading.Event()
    failures: list[str] = []
    answers = [0]

    def read(front: Ways) -> None:
        try:
            while not is_over.is_set():
                least = published[0]
                said = front.any(key=issued.text)
                answers[0] += 1
                # As over a network: without it the threads fight over the interpreter's lock alone.
                time.sleep(0.0005)
                found = json.loads(said.body)["events"][0]["sampling"]["rate"] if said.status == "200 OK" else -1
                if found < least:
                    failures.append(f"{said.status}: {found} after {least}")
        finally:
            connection.close()

    readers = [threading.Thread(target=read, args=(each,)) for each in (ways, ways, other, other)]
    for reader in readers:
        reader.start()
    for number in range(1, 21):
        override = TenantOverride(events={STEP: EventOverride(sampling_rate=number / 100)})
        make_published_config(installation, override)
        published[0] = number / 100
    is_over.set()
    for reader in readers:
        reader.join()
    other.front.lease.stop()

    assert failures == []
    assert answers[0] > 100
