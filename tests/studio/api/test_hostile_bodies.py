"""Every hostile body against every address that takes one: a clean refusal, and nothing is saved."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from telemetry.core.codec import encode_spec
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.api.calls import Caller, caller_with_role, signed_in
from tests.studio.api.hostile_bodies import JSON, YAML, HostileBody, bodies_made_from, bodies_that_lie
from tests.telemetry.factories import (
    everything_stored,
    make_channel,
    make_installation,
    make_proposal,
    make_provider,
    make_published,
    make_review,
)
from tests.tenants.factories import make_draft_config, make_membership, make_published_config, make_user

pytestmark = pytest.mark.django_db

CHECKSUM = "0" * 64
SPEC: dict[str, Any] = json.loads(encode_spec(make_spec(make_event(), name="hostile.spec")))
FLOOR: dict[str, Any] = {"maximumRetentionDays": {"pii": 30}}
OVERRIDE: dict[str, Any] = {
    "spec": {"name": "sigil.telemetry", "version": 1},
    "defaultSamplingRate": 0.5,
    "events": {"sigil.telemetry.workflow_step": {"privacy": "pii", "samplingRate": 0.25, "retentionDays": 7}},
}


CONTRACT = {
    "meta": {"name": "step", "version": 1},
    "payload": {"type": "object", "properties": {"step": {"type": "string"}}},
}


ELSEWHERE = "https://93.184.215.14/elsewhere"
PROVIDER: dict[str, Any] = {
    "installation": "0b5f5d4e-6d0a-4d6b-9d3e-2a7c3d0f8a11",
    "name": "Orders",
    "kind": "webhook",
    "settings": {"url": ELSEWHERE},
    "credential": "a signing secret of mine",
    "highestLevel": "internal",
}

ALERT_CHANNEL = {
    "tenant": "acme",
    "name": "hook",
    "kind": "webhook",
    "destination": {"url": "https://93.184.215.14/", "secret": "a secret of 25 characters"},
    "subject": "{event}",
    "quietMinutes": 30,
    "pace": "hourly",
}


@dataclass(frozen=True)
class Address:
    """An address that takes a body, with one that it would accept."""

    method: str
    path: str
    valid: dict[str, Any]
    reads_yaml: bool = False
    # What a personal key may not do: a stolen one would be outlived by it.
    needs_login: bool = False


ADDRESSES = [
    Address("POST", "/api/v1/specs", SPEC, reads_yaml=True),
    Address("PUT", "/api/v1/specs/sigil.telemetry/draft", SPEC, reads_yaml=True),
    Address("POST", "/api/v1/lint", SPEC, reads_yaml=True),
    Address("POST", "/api/v1/specs/sigil.telemetry/publish", {"expectedRevision": 2, "changeSummary": "A change"}),
    Address("POST", "/api/v1/event-specs", CONTRACT, reads_yaml=True),
    Address("POST", "/api/v1/tenants", {"slug": "new", "name": "New"}),
    Address("POST", "/api/v1/specs/sigil.telemetry/reviews", {"expectedRevision": 3, "summary": "A change"}),
    Address("POST", "/api/v1/reviews/{review}/comments", {"text": "A remark", "path": "events[0]"}),
    Address("POST", "/api/v1/reviews/{review}/approve", {"text": "A remark"}),
    Address("POST", "/api/v1/reviews/{review}/request-changes", {"text": "A remark"}),
    Address("POST", "/api/v1/reviews/{review}/withdraw", {"text": "A remark"}),
    Address(
        "POST",
        "/api/v1/installations/{id}/config/schedule",
        {
            "number": 2,
            "expectedChecksum": CHECKSUM,
            "expectedPublishedNumber": 1,
            "changeSummary": "A change",
            "startsAt": "2100-01-01T00:00:00Z",
        },
    ),
    Address("POST", "/api/v1/installations/{id}/config/preview", {"number": 2, "expectedChecksum": CHECKSUM}),
    Address("POST", "/api/v1/installations/{id}/config/promote", {"from": "0b5f5d4e-6d0a-4d6b-9d3e-2a7c3d0f8a11"}),
    Address("POST", "/api/v1/providers", PROVIDER, needs_login=True),
    Address(
        "PUT",
        "/api/v1/providers/{provider}",
        {"settings": {"url": ELSEWHERE}, "highestLevel": "pii", "credential": "another secret of mine"},
        needs_login=True,
    ),
    Address("POST", "/api/v1/providers/{provider}/switch", {"isEnabled": False}),
    Address("POST", "/api/v1/alert-channels", ALERT_CHANNEL, needs_login=True),
    Address("POST", "/api/v1/alert-channels/{channel}/mute", {"until": "2100-01-01T00:00:00Z"}),
    Address("POST", "/api/v1/alert-channels/{channel}/switch", {"isEnabled": False}),
    Address(
        "POST",
        "/api/v1/alert-routes",
        {"channel": "0b5f5d4e-6d0a-4d6b-9d3e-2a7c3d0f8a11", "event": "step", "action": "alert"},
        needs_login=True,
    ),
    Address("POST", "/api/v1/erasure-requests", {"subjects": ["u-4711"], "tenants": ["acme"], "reference": "DSR-1"}),
    Address("POST", "/api/v1/proposals/{proposal}/reject", {"reason": "A reason"}),
    Address("POST", "/api/v1/proposals/{proposal}/snooze", {"until": "2100-01-01T00:00:00Z"}),
    Address("POST", "/api/v1/proposals/{proposal}/take-back", {"reason": "A reason"}),
    Address("POST", "/api/v1/legal-holds", {"tenant": "acme", "reason": "Case 12", "subject": "u-4711"}),
    Address("PUT", "/api/v1/floor", FLOOR, reads_yaml=True),
    Address(
        "POST",
        "/api/v1/floor-exceptions",
        {
            "tenant": "acme",
            "app": "sigil",
            "exception": {"limit": "forcedOff", "events": ["step"]},
            "reason": "A reason",
            "endsAt": "2100-01-01T00:00:00Z",
        },
    ),
    Address("PUT", "/api/v1/installations/{id}/config", OVERRIDE, reads_yaml=True),
    Address(
        "POST",
        "/api/v1/installations/{id}/config/publish",
        {"number": 2, "expectedChecksum": CHECKSUM, "expectedPublishedNumber": 1, "changeSummary": "A change"},
    ),
    Address(
        "POST",
        "/api/v1/installations/{id}/config/rollback",
        {"number": 1, "expectedPublishedNumber": 2, "changeSummary": "A change"},
    ),
]
# Addresses whose bodies above name what is not the current state, or is not there, or is only for its author.
STALE = {
    "/api/v1/alert-channels/{channel}/mute",
    "/api/v1/proposals/{proposal}/snooze",
    "/api/v1/proposals/{proposal}/take-back",
    "/api/v1/alert-routes",
    "/api/v1/providers",
    "/api/v1/floor-exceptions",
    "/api/v1/specs/sigil.telemetry/publish",
    "/api/v1/specs/sigil.telemetry/reviews",
    "/api/v1/reviews/{review}/withdraw",
    "/api/v1/installations/{id}/config/preview",
    "/api/v1/installations/{id}/config/promote",
    "/api/v1/installations/{id}/config/publish",
    "/api/v1/installations/{id}/config/rollback",
    "/api/v1/installations/{id}/config/schedule",
}
# For an override or a floor this means: no wish at all, no limit.
VALID_IF_NOTHING_IS_SAID = "the value {}"


@pytest.fixture
def admin() -> Caller:
    return caller_with_role(Role.ADMIN)


def who_may(address: Address, admin: Caller) -> Caller:
    if not address.needs_login:
        return admin
    user = make_user()
    make_membership(user, Role.ADMIN)
    return signed_in(user)


@pytest.fixture
def places() -> dict[str, object]:
    make_published()
    installation = make_installation()
    make_published_config(installation)
    make_draft_config(installation)
    provider = make_provider(installation).public_id
    channel = make_channel(installation.tenant).public_id
    return {
        "id": installation.public_id,
        "review": make_review().pk,
        "provider": provider,
        "channel": channel,
        "proposal": make_proposal().pk,
    }


def bodies_for(address: Address) -> Iterator[HostileBody]:
    yield from bodies_made_from(address.valid)
    for body in bodies_that_lie():
        if not (address.valid in (OVERRIDE, FLOOR) and body.name == VALID_IF_NOTHING_IS_SAID):
            yield body


def expected_status(address: Address, body: HostileBody) -> int:
    return 415 if body.content_type == YAML and not address.reads_yaml else body.status


def label(address: Address) -> str:
    return f"{address.method} {address.path}"


@pytest.mark.parametrize("address", ADDRESSES, ids=label)
def test_every_hostile_body_is_refused_cleanly_and_nothing_is_saved(
    admin: Caller, places: dict[str, object], address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="django.request")
    path = address.path.format(**places)
    caller = who_may(address, admin)
    caller.get("/api/v1/schema")
    before = everything_stored()
    surprises = {}
    count = 0

    for body in bodies_for(address):
        headers = {name.replace("-", "_"): value for name, value in body.headers.items()}
        answer = caller.send(address.method, path, body.content, body.content_type, If_Match="*", **headers)
        count += 1
        is_clean = answer["Content-Type"] == JSON and set(answer.json()) == {"detail", "code", "errors"}
        if answer.status_code != expected_status(address, body) or not is_clean or len(answer.content) > 40_000:
            surprises[body.name] = (answer.status_code, answer.content[:300])

    assert surprises == {}
    assert count > 100
    assert everything_stored() == before


@pytest.mark.parametrize("address", [each for each in ADDRESSES if each.path not in STALE], ids=label)
def test_the_body_that_they_were_made_from_is_not_refused(
    admin: Caller, places: dict[str, object], address: Address
) -> None:
    valid = {**address.valid}
    if "draft" in address.path:
        valid["meta"] = {**valid["meta"], "name": "sigil.telemetry", "version": 2}

    path, caller = address.path.format(**places), who_may(address, admin)
    answer = caller.send(address.method, path, json.dumps(valid).encode(), JSON, If_Match="*")

    assert answer.status_code in (200, 201)


def test_a_value_that_was_sent_never_comes_back_in_an_error(admin: Caller) -> None:
    canary = "canary-4711@example.org"
    wrong: list[dict[str, Any]] = [
        {"slug": canary, "name": "a"},
        {"slug": "a", "name": f"{canary}\n"},
        {"slug": {"a": canary}, "name": [canary]},
    ]

    answers = [admin.post("/api/v1/tenants", body) for body in wrong]
    answers.append(admin.send("POST", "/api/v1/tenants", f'{{"slug": "{canary}'.encode()))
    answers.append(admin.send("POST", "/api/v1/specs", f"a: {canary}\n\t- b".encode(), YAML))

    assert [answer.status_code for answer in answers] == [400] * 5
    assert all(canary not in answer.content.decode() for answer in answers)


def test_a_body_on_reading_is_not_read(admin: Caller) -> None:
    answer = admin.send("GET", "/api/v1/specs", b"\xff\x00garbage", "application/json")

    assert answer.status_code == 200


@pytest.mark.parametrize("length", ["", "abc", "-5", "0", "1e3", "3"])
def test_a_wrong_length_is_a_refused_body(admin: Caller, length: str) -> None:
    before = everything_stored()

    answer = admin.client.generic(
        "POST",
        "/api/v1/tenants",
        b'{"slug": "new", "name": "New"}',
        content_type=JSON,
        headers=admin.headers,
        CONTENT_LENGTH=length,
    )

    assert answer.status_code == 400
    assert everything_stored()["tenants.Tenant"] == before["tenants.Tenant"]
