"""``studio infer``: a draft from a sample, without any value that could be somebody's."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.codec import decode_spec
from telemetry.core.errors import InvalidDocument
from telemetry.core.validation import check_spec
from telemetry.formats.inferring import Inferrer
from tenants.models import Installation
from tenants.roles import Role
from tests.cli.conftest import Studio
from tests.core.strategies import json_values
from tests.studio.api.calls import caller_with_role
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer


def sample(*events: Any) -> str:
    """One event in each line."""
    return "".join(json.dumps(event) + "\n" for event in events)


def placed(number: int, **more: Any) -> dict[str, Any]:
    properties = {"total": number * 1.5, "method": ("card", "cash")[number % 2], "at": "2026-11-22T12:00:00Z", **more}
    return {"event": "Order Placed", "properties": properties}


def test_types_required_and_listed_values_are_inferred(studio: Studio, tmp_path: Path) -> None:
    events = [placed(number, **({"coupon": f"C{number}"} if number else {})) for number in range(20)]
    (tmp_path / "events.ndjson").write_text(sample(*events, {"name": "opened"}, {"type": "identify"}))

    called = studio("infer", "events.ndjson", "--name", "shop", "--output", "shop.yaml")

    [order, opened] = decode_spec((tmp_path / "shop.yaml").read_bytes()).events
    assert (called.code, called.out) == (0, "")
    assert {name: (each.type.value, each.required) for name, each in order.properties.items()} == {
        "total": ("number", True),
        "method": ("string", True),
        "at": ("timestamp", True),
        "coupon": ("string", False),
    }
    assert order.properties["method"].allowed_values == ("card", "cash")
    assert order.properties["coupon"].allowed_values == ()
    assert (opened.name, dict(opened.properties)) == ("opened", {})
    assert "21 events of 2 kinds" in called.err
    assert "1 lines were left out" in called.err
    assert "line 22 has no name under event or name" in called.err


def test_what_looks_personal_is_marked_and_none_of_its_values_is_written(studio: Studio, tmp_path: Path) -> None:
    personal = {"email": "ada@example.com", "who": "ada@example.com", "from": "10.0.0.1", "call": "+49 30 1234567"}
    events = [placed(number, **personal) for number in range(40)]
    events += [{"event": "opened:ada@example.com"}, {"event": "seen", "properties": {"ada@example.com": 1}}]
    (tmp_path / "events.ndjson").write_text(sample(*events))

    called = studio("infer", "events.ndjson", "--name", "shop", "--output", "shop.yaml")

    text = (tmp_path / "shop.yaml").read_text()
    order = decode_spec(text).events[0]
    for value in ("ada@", "10.0.0.1", "1234567"):
        assert value not in text + called.err + called.out
    for name in personal:
        assert (order.properties[name].pii, order.properties[name].redact) == (True, True)
    assert [line.strip() for line in called.err.splitlines() if line.startswith("  Order Placed: ")] == [
        f"Order Placed: {name}" for name in personal
    ]


def test_values_that_differ_in_type_are_json(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "e").write_text(sample(*({"event": "a", "properties": {"x": x}} for x in (1, "a", None, [1], True))))

    [event] = decode_spec(studio("infer", "e", "--name", "shop").out).events

    assert event.properties["x"].type == "json"
    assert not event.properties["x"].required


@pytest.mark.parametrize("content", ["", "\n\n", "{", '{"event": ""}\n', "[1]\n"])
def test_a_sample_without_events_is_refused(studio: Studio, tmp_path: Path, content: str) -> None:
    (tmp_path / "e").write_text(content)

    called = studio("infer", "e", "--name", "shop")

    assert (called.code, called.out) == (2, "")
    assert "has no event" in called.err


def test_a_file_that_is_not_there_is_named(studio: Studio) -> None:
    called = studio("infer", "nowhere", "--name", "shop")

    assert called.code == 2
    assert "the file nowhere breaks 1 rule" in called.err


@given(
    records=st.lists(st.one_of(json_values(), st.fixed_dictionaries({"event": st.text(), "properties": json_values()})))
)
def test_any_sample_gives_a_valid_spec_or_is_refused(records: list[Any]) -> None:
    inferrer = Inferrer()
    inferrer.read(json.dumps(record).encode() for record in records)

    try:
        inference = inferrer.finish(name="shop")
    except InvalidDocument:
        return

    assert check_spec(inference.spec) == ()
    assert inference.events_seen + inference.skipped_count == len(
        [record for record in records if json.dumps(record).strip()]
    )


# From an installation


@pytest.fixture
def installation(live_server: "LiveServer", monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation that has received something; a viewer's key is in the environment."""
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", 0)
    make_published()
    installation = make_installation("acme")
    ingest(installation, *[make_incoming() for _ in range(25)], make_incoming(name="made_up", properties={"x": 1}))
    caller = caller_with_role(Role.VIEWER, installation.tenant)
    monkeypatch.setenv("STUDIO_URL", live_server.url)
    monkeypatch.setenv("STUDIO_API_KEY", caller.headers["Authorization"].removeprefix("Bearer "))
    return installation


def test_recent_traffic_becomes_a_draft_with_a_report(
    studio: Studio, tmp_path: Path, installation: Installation
) -> None:
    place = f"acme/{installation.app.slug}/{installation.environment}"

    called = studio("infer", "--installation", place, "--name", "seen", "-o", "seen.yaml", "--report", "doubts.json")

    spec = decode_spec((tmp_path / "seen.yaml").read_bytes())
    report = json.loads((tmp_path / "doubts.json").read_text())
    assert (called.code, called.out) == (0, "")
    assert {event.name for event in spec.events} == {"sigil.telemetry.workflow_step", "made_up"}
    assert "25 events of 2 kinds" in called.err
    assert report["eventsRead"] == 25
    assert "one_outline" in {each["doubt"] for each in report["uncertainties"]}
    assert studio("lint", "seen.yaml", "--fail-on", "never").code == 0


def test_a_file_or_an_installation_is_asked_for_and_not_both(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "e").write_text(sample({"event": "a"}))

    for arguments in ([], ["e", "--installation", "a/b/production"]):
        called = studio("infer", *arguments, "--name", "shop")
        assert called.code == 2
        assert "one of the two" in called.err


def test_an_installation_without_traffic_gives_no_draft(studio: Studio, installation: Installation) -> None:
    called = studio("infer", "--installation", installation.public_id, "--name", "seen", "--event", "nowhere")

    assert called.code == 2
    assert "nothing came" in called.err
