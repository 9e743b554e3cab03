"""The config that apps fetch."""

import base64
import gzip
import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import zstandard
from django.utils import timezone
from pythonjsonlogger.json import JsonFormatter

from telemetry.core.config import AppBlueprint, EventOverride, TenantOverride
from telemetry.services import configs
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import ApiKey, Installation
from tenants.roles import Role, Scope
from tenants.services.config_drafts import preview_config as open_preview
from tenants.services.keys import IssuedKey
from tests.studio.api.calls import Caller, caller_with_role, code_of, queries_of, signed_in
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_draft_config, make_key, make_published_config, make_user

pytestmark = pytest.mark.django_db

CONFIG = "/api/v1/config"
STEP = "sigil.telemetry.workflow_step"


def expire(issued: IssuedKey) -> None:
    with tenant_context(ALL):
        ApiKey.objects.filter(pk=issued.key.pk).update(expires_at=timezone.now() - timedelta(seconds=1))


def revoke(issued: IssuedKey) -> None:
    with tenant_context(ALL):
        ApiKey.objects.filter(pk=issued.key.pk).update(revoked_at=timezone.now())


def lines_logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged, as the studio writes it."""
    [formatter] = [each.formatter for each in logging.getLogger().handlers if isinstance(each.formatter, JsonFormatter)]
    return [formatter.format(record) for record in caplog.records]


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def app(installation: Installation) -> Caller:
    return Caller(key=make_key(installation).text)


# What comes


def test_a_key_fetches_what_holds_at_its_installation(app: Caller, installation: Installation) -> None:
    answer = app.get(CONFIG)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    config = answer.json()
    assert (config["tenant"], config["app"], config["environment"]) == ("acme", installation.app.slug, "production")
    assert config["spec"]["name"] == "sigil.telemetry"
    assert [event["name"] for event in config["events"]] == [STEP]
    assert "provenance" not in config
    assert "pseudonymKey" not in config


def test_the_answer_may_be_kept_by_whoever_checks_it_each_time(app: Caller) -> None:
    answer = app.get(CONFIG)

    assert answer["Cache-Control"] == "public, no-cache"
    assert answer["Vary"] == "Authorization, Accept-Encoding"
    assert re.fullmatch(r'W/"[\x21\x23-\x7e]+"', answer["ETag"])
    assert int(answer["Content-Length"]) == len(answer.content)
    assert answer["Allow"] == "GET, HEAD"


def test_what_holds_the_pseudonym_key_or_is_for_people_is_kept_by_its_caller_alone(installation: Installation) -> None:
    secret = Caller(key=make_key(installation, Scope.CONFIG_READ, Scope.CONFIG_SECRET).text)
    person = caller_with_role(Role.ADMIN)

    answers = [
        secret.get(CONFIG),
        Caller(key=make_key(installation).text).get(CONFIG, {"explain": "1"}),
        person.get(f"/api/v1/installations/{installation.public_id}/effective-config"),
    ]

    assert {answer["Cache-Control"] for answer in answers} == {"private, no-cache"}


def test_head_says_the_same_without_the_body(app: Caller) -> None:
    whole, head = app.get(CONFIG), app.head(CONFIG)

    assert head.status_code == 200
    assert head.content == b""
    assert dict(head.headers) == dict(whole.headers)


def test_explain_tells_the_story_of_each_value(app: Caller) -> None:
    answer = app.get(CONFIG, {"explain": "1"})

    plain = app.get(CONFIG).json()
    rate = answer.json()["provenance"][f"events[{STEP}@1].sampling.rate"]
    assert {key: value for key, value in answer.json().items() if key != "provenance"} == plain
    assert (rate["layer"], rate["path"], rate["version"], rate["by"]) == (
        "spec",
        "config.defaultSamplingRate",
        1,
        "system",
    )
    assert rate["source"] == "Spec sigil.telemetry"
    assert rate["without"] == 1
    assert [step["layer"] for step in rate["steps"]] == ["product", "spec"]
    assert "without" not in answer.json()["provenance"][f"events[{STEP}@1].privacy"]


def test_a_preview_is_fetched_by_its_number_with_a_scope_of_its_own(installation: Installation) -> None:
    draft = make_draft_config(installation, TenantOverride(enabled=False))
    previewer = Caller(key=make_key(installation, Scope.CONFIG_READ, Scope.CONFIG_PREVIEW).text)
    reader = Caller(key=make_key(installation, Scope.CONFIG_READ).text)
    assert previewer.get(CONFIG, {"preview": "1"}).status_code == 404
    with tenant_context(ALL):
        open_preview(actor=SYSTEM, config=draft, expected_checksum=draft.checksum)

    shown, live = previewer.get(CONFIG, {"preview": "1"}), previewer.get(CONFIG)

    assert (shown.json()["enabled"], live.json()["enabled"]) == (False, True)
    assert (shown["Cache-Control"], shown["X-Config-Preview"]) == ("no-store", "1")
    assert shown["ETag"] != live["ETag"]
    assert "X-Config-Preview" not in live
    assert previewer.get(CONFIG, If_None_Match=shown["ETag"]).status_code == 200
    assert reader.get(CONFIG, {"preview": "1"}).status_code == 403
    assert previewer.get(CONFIG, {"preview": "7"}).status_code == 404


def test_a_preview_of_another_tenant_does_not_exist(installation: Installation) -> None:
    draft = make_draft_config(installation, TenantOverride(enabled=False))
    with tenant_context(ALL):
        open_preview(actor=SYSTEM, config=draft, expected_checksum=draft.checksum)
    other = make_installation("globex")

    answer = Caller(key=make_key(other, Scope.CONFIG_PREVIEW).text).get(CONFIG, {"preview": "1"})

    assert answer.status_code == 404


@pytest.mark.parametrize("text", ["0", "false"])
def test_explain_can_be_declined(app: Caller, text: str) -> None:
    assert app.get(CONFIG, {"explain": text}).content == app.get(CONFIG).content


@pytest.mark.parametrize("text", ["", "yes", "2", "1,1", "True", "null", "' OR 1=1 --"])
def test_explain_is_a_truth_value(app: Caller, text: str) -> None:
    answer = app.get(CONFIG, {"explain": text})

    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"code": "wrong_type", "path": "explain", "message": "must be true or false"}]


def test_the_explained_config_has_a_tag_of_its_own(app: Caller) -> None:
    plain, explained = app.get(CONFIG)["ETag"], app.get(CONFIG, {"explain": "1"})["ETag"]

    assert plain != explained
    assert app.get(CONFIG, {"explain": "1"}, If_None_Match=plain).status_code == 200


def test_a_key_for_secrets_gets_the_pseudonym_key(installation: Installation) -> None:
    secret = Caller(key=make_key(installation, Scope.CONFIG_READ, Scope.CONFIG_SECRET).text)
    plain = Caller(key=make_key(installation).text)

    answer = secret.get(CONFIG)

    key = answer.json()["pseudonymKey"]
    assert key["epoch"] == 1
    assert len(base64.b64decode(key["secret"])) >= 16
    assert "pseudonymKey" not in plain.get(CONFIG).json()
    assert plain.get(CONFIG, If_None_Match=answer["ETag"]).status_code == 200


# Asking again


@pytest.mark.parametrize("write", ["{tag}", '"other", {tag}', "{tag},,garbage", "{strong}", "*"])
def test_who_has_the_current_config_is_told_so(app: Caller, write: str) -> None:
    whole = app.get(CONFIG)
    tag = whole["ETag"]

    answer = app.get(CONFIG, If_None_Match=write.format(tag=tag, strong=tag.removeprefix("W/")))

    assert answer.status_code == 304
    assert answer.content == b""
    assert "Content-Type" not in answer
    assert "Content-Length" not in answer
    assert {name: answer[name] for name in ("ETag", "Vary", "Cache-Control")} == {
        "ETag": tag,
        "Vary": whole["Vary"],
        "Cache-Control": whole["Cache-Control"],
    }


@pytest.mark.parametrize("header", ["", '"other"', 'W/"1-0-0-p"', "garbage", '"' * 5000])
def test_who_has_another_config_or_none_gets_it(app: Caller, header: str) -> None:
    assert app.get(CONFIG, If_None_Match=header).status_code == 200


def test_head_is_told_so_too(app: Caller) -> None:
    assert app.head(CONFIG, If_None_Match=app.get(CONFIG)["ETag"]).status_code == 304


def test_what_is_published_shows_in_the_very_next_request(app: Caller, installation: Installation) -> None:
    before = app.get(CONFIG)
    assert before.json()["events"][0]["enabled"] is True

    make_published_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False)}))

    after = app.get(CONFIG, If_None_Match=before["ETag"])
    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    assert after.json()["events"][0]["enabled"] is False
    assert after.json()["revision"] > before.json()["revision"]


# Compression


def test_a_client_that_reads_gzip_gets_it(app: Caller) -> None:
    plain, packed = app.get(CONFIG), app.get(CONFIG, Accept_Encoding="gzip, br")

    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
    assert packed["ETag"] == plain["ETag"]
    assert packed["Vary"] == plain["Vary"]


@pytest.mark.parametrize("header", ["gzip;q=0", "identity", "br", "*;q=0"])
def test_a_client_that_does_not_gets_plain_bytes(app: Caller, header: str) -> None:
    answer = app.get(CONFIG, Accept_Encoding=header)

    assert "Content-Encoding" not in answer
    assert answer.json()["tenant"] == "acme"


def test_a_client_that_reads_zstd_gets_it(app: Caller) -> None:
    plain, packed = app.get(CONFIG), app.get(CONFIG, Accept_Encoding="gzip, deflate, br, zstd")

    assert packed["Content-Encoding"] == "zstd"
    assert zstandard.decompress(packed.content) == plain.content
    assert int(packed["Content-Length"]) == len(packed.content) < len(plain.content)
    assert packed["ETag"] == plain["ETag"]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_config_is_compressed_once(app: Caller, coding: str) -> None:
    first, second = (app.get(CONFIG, Accept_Encoding=coding).content for _ in range(2))

    assert first is second


# What it costs


def test_a_304_takes_the_key_the_installation_and_the_revision_and_builds_nothing(app: Caller) -> None:
    tag = app.get(CONFIG)["ETag"]
    kept = len(configs._cache)

    statements = queries_of(lambda: app.get(CONFIG, If_None_Match=tag))

    assert len(statements) == 5
    assert sum("set_config" in sql for sql in statements) == 2
    assert not any("telemetry_specversion" in sql for sql in statements)
    assert len(configs._cache) == kept


def test_a_config_that_is_built_already_costs_no_query_more(app: Caller) -> None:
    app.get(CONFIG)

    assert len(queries_of(lambda: app.get(CONFIG))) == 5


# Who may


def test_nobody_is_anonymous() -> None:
    answer = Caller().get(CONFIG)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="telemetry-studio"'
    assert code_of(answer) == "not_authenticated"


@pytest.mark.parametrize("spoil", [expire, revoke])
def test_an_expired_or_revoked_key_is_refused_from_the_next_call_on(
    installation: Installation, spoil: Callable[[IssuedKey], None]
) -> None:
    issued = make_key(installation)
    app = Caller(key=issued.text)
    tag = app.get(CONFIG)["ETag"]

    spoil(issued)

    answer = app.get(CONFIG, If_None_Match=tag)
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="telemetry-studio", error="invalid_token"'


def test_a_key_that_only_ingests_reads_nothing_back(installation: Installation) -> None:
    app = Caller(key=make_key(installation, Scope.INGEST).text)

    answer = app.get(CONFIG)

    assert answer.status_code == 403
    assert code_of(answer) == "not_allowed"


def test_a_person_has_no_installation_to_fetch_for(installation: Installation) -> None:
    by_key = caller_with_role(Role.ADMIN).get(CONFIG)
    by_login = signed_in(make_user(is_superuser=True)).get(CONFIG)

    assert by_key.status_code == 403
    assert by_login.status_code == 401


@pytest.mark.parametrize(
    "call",
    [
        lambda key: Caller().get(CONFIG, {"key": key}),
        lambda key: Caller().get(CONFIG, {"api_key": key, "access_token": key}),
        lambda key: Caller().send("GET", CONFIG, json.dumps({"apiKey": key}).encode()),
        lambda key: Caller().get(CONFIG, X_Api_Key=key),
        lambda key: Caller().get(CONFIG, Cookie=f"key={key}"),
        lambda key: Caller().get(CONFIG, Authorization=key),
        lambda key: Caller().get(CONFIG, Authorization=f"Basic {key}"),
        lambda key: Caller().get(CONFIG, Authorization=f"Token {key}"),
    ],
)
def test_a_key_counts_only_as_a_bearer_token_and_is_never_logged(
    installation: Installation, call: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    key = make_key(installation).text

    answer = call(key)

    assert answer.status_code == 401
    assert key not in answer.content.decode()
    [written] = lines_logged(caplog)
    assert "Unauthorized: /api/v1/config" in written
    assert key not in written


def test_two_installations_never_see_each_other(app: Caller) -> None:
    other = Caller(key=make_key(make_installation("other")).text)
    tag = app.get(CONFIG)["ETag"]

    answer = other.get(CONFIG, If_None_Match=tag)

    assert answer.status_code == 200
    assert answer.json()["tenant"] == "other"
    assert answer["ETag"] != tag


def test_names_of_tenants_in_the_request_change_nothing(app: Caller) -> None:
    make_installation("other")

    answer = app.get(CONFIG, X_Tenant_Id="other", X_Tenant="other", Cookie="tenant=other")

    assert answer.json()["tenant"] == "acme"
    assert app.get(CONFIG, {"tenant": "other"}).status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_only_reading_is_possible(app: Caller, method: str) -> None:
    answer = app.send(method, CONFIG, b"{}", X_HTTP_Method_Override="GET")

    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert code_of(answer) == "method_not_allowed"


def test_reading_changes_nothing_but_when_the_key_was_used(app: Caller) -> None:
    app.get(CONFIG)
    before = everything_stored()

    app.get(CONFIG)

    assert everything_stored() == before


# What is missing


def test_without_a_bound_spec_the_answer_says_what_to_do() -> None:
    unbound = Caller(key=make_key(make_installation("unbound", blueprint=AppBlueprint())).text)

    answer = unbound.get(CONFIG)
    any_state = unbound.get(CONFIG, If_None_Match="*")

    assert answer.status_code == any_state.status_code == 409
    assert answer.json() == {
        "detail": "no spec is bound: point the app's blueprint or the tenant's override at one",
        "code": "conflict",
        "errors": [],
    }


@pytest.mark.parametrize("accept", ["text/html", "application/yaml", "image/*"])
def test_there_is_nothing_but_json(app: Caller, accept: str) -> None:
    answer = app.get(CONFIG, Accept=accept)

    assert answer.status_code == 406
    assert code_of(answer) == "not_acceptable"
