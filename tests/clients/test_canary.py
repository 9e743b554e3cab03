"""An e-mail address that is planted in every field of every client is found nowhere afterwards."""

import base64
from pathlib import Path
from urllib.request import Request, urlopen

import duckdb
import psycopg
import pytest
from pytest_django import Settings
from redis import Redis

from studio.api.ingest.bodies import inflate
from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.enums import EventSource, PrivacyLevel, UndeclaredPolicy
from telemetry.core.spec import Quarantine, TelemetryDefaults, TelemetrySpec
from telemetry.models import HeldEvent, ProviderKind, ProviderRecord
from telemetry.services.deliveries.delivering import deliver_once
from telemetry.stores.live import START, LiveStream, connect
from tenants.context import ALL, tenant_context
from tenants.roles import Scope
from tests.clients.canary import ADDRESS, TOKEN, send_by_hand, send_with_node, send_with_python
from tests.clients.search import everything_in_database, everything_in_valkey, places_with
from tests.clients.server import METRICS_TOKEN, RunningStudio
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.sdk.servers import ScriptedServer, scripted_server
from tests.studio.api.compat.sending import Shop, stored
from tests.telemetry.archives import archive_all, archive_in
from tests.telemetry.factories import make_installation, make_provider, make_published
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db(transaction=True)


def guarded_spec(level: PrivacyLevel, policy: UndeclaredPolicy) -> TelemetrySpec:
    """Every event that the clients send, at a level that protects text; nothing is declared free of personal data."""
    properties = {
        "orderId": make_property(),
        "total": make_property("number"),
        "email": make_property(pii=True, redaction=make_redaction("hash")),
        "items": make_property("json"),
        "name": make_property(pii=True),
        "$current_url": make_property(),
        "$set": make_property("json"),
        "body": make_property("json"),
    }
    names = ("Order Completed", "$pageview", "$set", "$create_alias", "page", "screen", "identify", "group", "alias")
    context = ("$lib", "locale", "library.name", "service.name", "otel.scope.name", "severityText", "traceId")
    return make_spec(
        *(make_event(name, properties=properties, privacy=level) for name in names),
        name="shop.events",
        config=TelemetryDefaults(
            undeclared_properties=policy,
            context_properties={name: make_property() for name in context},
            quarantine=Quarantine(days=7),
        ),
    )


@pytest.mark.parametrize("level", [PrivacyLevel.PII, PrivacyLevel.SENSITIVE])
@pytest.mark.parametrize("policy", list(UndeclaredPolicy))
def test_the_address_is_found_nowhere(
    studio: RunningStudio,
    redis_url: str,
    owner_connection: psycopg.Connection,
    level: PrivacyLevel,
    policy: UndeclaredPolicy,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    make_published(guarded_spec(level, policy))
    installation = make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop.events")))
    shop = Shop(installation, make_key(installation, Scope.INGEST).text)
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    with connect(redis_url) as client, scripted_server() as outside:
        providers = make_providers(shop, outside.url)
        LiveStream(client).read(installation.public_id, START)
        before = studio.log.stat().st_size

        said = send_with_python(studio.address, shop.key) + send_with_node(studio.address, shop.key)
        answers = send_by_hand(studio.address, shop.key)

        deliver_all(providers)
        payloads = everything_sent(outside)
        metrics = metrics_of(studio.address)
        lines = everything_in_valkey(client)
        client.flushdb()
    log = studio.log.read_bytes()[before:]
    contents = {
        **everything_in_database(owner_connection),
        **lines,
        "log": log,
        "answers": "\n".join([*said, *answers]).encode(),
        "own log": caplog.text.encode(),
        "metrics": metrics,
        **payloads,
    }

    # The search is no use if there is nothing to find.
    assert_something_is_kept(shop, level, policy)
    if policy is not UndeclaredPolicy.QUARANTINE:
        assert {name.partition(" ")[0] for name in payloads} == {"posthog", "segment", "opentelemetry", "webhook"}
    assert any(name.startswith("studio:live:") and len(content) > 10_000 for name, content in lines.items())
    assert b"request" in log
    assert b"studio_ingest_events_total" in metrics
    if policy is not UndeclaredPolicy.QUARANTINE:
        contents |= everything_archived(shop, tmp_path / "archive")
    assert places_with(TOKEN, contents) == []
    # Nor is the secret of the key.
    assert places_with(shop.key.rpartition("_")[2], contents) == []


def metrics_of(address: str) -> bytes:
    """What the studio tells its operators."""
    request = Request(f"{address}/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})  # noqa: S310 - loopback
    with urlopen(request) as answer:  # noqa: S310 - loopback
        content: bytes = answer.read()
    return content


def everything_archived(shop: Shop, directory: Path) -> dict[str, bytes]:
    """The rows of the archive, to which all that is stored has moved, and the bytes of its files."""
    with archive_in(directory):
        archive_all(shop.installation)
    assert stored(shop) == []
    files = {str(path): path.read_bytes() for path in directory.rglob("*") if path.is_file()}
    for path in [each for each in files if each.endswith(".parquet")]:
        rows = duckdb.execute("SELECT * FROM read_parquet(?)", [path]).fetchall()
        assert len(rows) > 20
        files[path] += repr(rows).encode()
    assert any(path.endswith(".parquet") for path in files)
    return files


def make_providers(shop: Shop, url: str) -> list[ProviderRecord]:
    """One of each kind that can be told apart by its address; all may have every level."""
    kinds = (ProviderKind.POSTHOG, ProviderKind.SEGMENT, ProviderKind.OPENTELEMETRY, ProviderKind.WEBHOOK)
    return [
        make_provider(
            shop.installation,
            f"{url}/{kind.value}",
            kind=kind,
            name=kind.value,
            highest_level=PrivacyLevel.SENSITIVE.value,
        )
        for kind in kinds
    ]


def deliver_all(providers: list[ProviderRecord]) -> None:
    """Each provider has got all that it is owed."""
    for provider in providers:
        while deliver_once(provider.pk) == 0.0:
            continue


def everything_sent(outside: ScriptedServer) -> dict[str, bytes]:
    """What the providers were sent, heads and all, expanded, by kind and number."""
    return {
        f"{asked.path.split('/')[1]} {number}": repr((asked.path, dict(asked.headers))).encode()
        + inflate(asked.body, asked.headers.get("content-encoding", ""), limit=100_000_000)
        for number, asked in enumerate(outside.asked)
    }


def assert_something_is_kept(shop: Shop, level: PrivacyLevel, policy: UndeclaredPolicy) -> None:
    """The events of every client are stored or, where undeclared values forbid that, held sealed."""
    with tenant_context(ALL):
        held = HeldEvent.objects.filter(installation=shop.installation).count()
    if policy is UndeclaredPolicy.QUARANTINE:
        assert (held > 20) is (level is not PrivacyLevel.SENSITIVE)
        return
    kept = stored(shop)
    assert {event.source for event in kept} == {EventSource.POSTHOG, EventSource.SEGMENT, EventSource.OTLP}
    assert len(kept) > 20


def test_the_search_finds_what_it_looks_for(owner_connection: psycopg.Connection, redis_url: str) -> None:
    hidden = {
        "plain": ADDRESS.encode(),
        "upper": ADDRESS.upper().encode(),
        "hex": ADDRESS.encode().hex().encode(),
        **{f"base64 {before}": base64.b64encode(b"x" * before + ADDRESS.encode() + b"yz") for before in range(3)},
        "elsewhere": b"nothing",
    }
    assert places_with(TOKEN, hidden) == [name for name in hidden if name != "elsewhere"]

    make_published(guarded_spec(PrivacyLevel.PII, UndeclaredPolicy.DROP))
    assert "telemetry_specversion" in places_with("otel.scope.name", everything_in_database(owner_connection))
    with Redis.from_url(redis_url) as client:
        client.set("somewhere", TOKEN)
        assert places_with(TOKEN, everything_in_valkey(client)) == ["somewhere"]
        client.delete("somewhere")
