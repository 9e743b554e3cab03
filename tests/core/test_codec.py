"""Documents are read whole or not at all, and equal values have one canonical form."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.codec import (
    checksum,
    convert_document,
    decode_document,
    decode_spec,
    encode_document,
    encode_spec,
    spec_to_yaml,
)
from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    PrivacyFloor,
    SamplingBounds,
    TenantOverride,
)
from telemetry.core.errors import InvalidDocument
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Deprecation, LintOptOut, ProviderDefinition, TelemetryDefaults, TelemetrySpec
from telemetry.core.values import FrozenDict
from tests.core import strategies
from tests.core.builders import make_event, make_installation, make_property, make_sigil_spec, make_spec

ROOT = Path(__file__).parents[2]
SIGIL = ROOT / "examples" / "sigil.telemetry.yaml"
REAL_FILES = ROOT.parent / "shared" / "data"

SIGIL_CANONICAL = (
    b'{"meta":{"name":"sigil.telemetry","version":1,"title":"Sigil telemetry",'
    b'"description":"Core Sigil product telemetry","domain":"sigil","owners":["@team.analytics"],'
    b'"tags":["telemetry"]},'
    b'"config":{"defaultRetentionDays":30,"defaultSamplingRate":1,'
    b'"providers":[{"type":"posthog","config":{"projectApiKey":"${POSTHOG_KEY}"}}]},'
    b'"events":[{"name":"sigil.telemetry.workflow_step","version":1,'
    b'"semantics":{"what":"Workflow step executed","who":"Actor executing the workflow"},"privacy":"internal",'
    b'"properties":{"workflow":{"type":"string","required":true},"step":{"type":"string","required":true},'
    b'"durationMs":{"type":"number"},"userId":{"type":"string","pii":true,"redact":true}},'
    b'"anomalyDetection":{"minimumSample":10,"thresholds":[{"metric":"durationMs","max":1500}],'
    b'"actions":["alert","trigger_regen"]}}]}'
)


def test_the_seeds_example_is_read_as_the_value_it_describes() -> None:
    assert decode_spec(SIGIL.read_bytes()) == make_sigil_spec()


def test_the_canonical_form_and_its_checksum_stay_as_they_are() -> None:
    # Published versions and the apps' caches are identified by these bytes: a change here breaks both.
    assert encode_spec(make_sigil_spec()) == SIGIL_CANONICAL
    assert checksum(make_sigil_spec()) == "bcfb7a9deb01c48ac2580725d660b0ceb316174c90138ddad710fa467aad8d53"


def test_equal_documents_in_any_notation_have_the_same_canonical_form() -> None:
    notations = (
        SIGIL_CANONICAL,
        SIGIL_CANONICAL.replace(b'"version":1,', b'"version":1.0,').replace(b"1500", b"1.5e3"),
        json.dumps(json.loads(SIGIL_CANONICAL), indent=2).encode("utf-8-sig"),
        SIGIL_CANONICAL.replace(b'"telemetry"]}', b'"telemetry"],"stability":"experimental"}'),
        spec_to_yaml(make_sigil_spec()),
    )

    assert {encode_spec(decode_spec(notation)) for notation in notations} == {SIGIL_CANONICAL}


def test_properties_keep_the_order_in_which_they_were_written() -> None:
    written = SIGIL.read_text(encoding="utf-8").replace("workflow:", "zebra:", 1)

    assert list(decode_spec(written).events[0].properties) == ["zebra", "step", "durationMs", "userId"]


def test_fields_that_equal_their_default_are_left_out_also_when_they_were_written() -> None:
    floor = decode_document('{"sampling": {"minimumRate": 0.0, "maximumRate": 1}}', PrivacyFloor, what="floor")

    assert floor == PrivacyFloor(sampling=SamplingBounds())
    assert encode_document(floor) == encode_document(PrivacyFloor(sampling=SamplingBounds())) == b'{"sampling":{}}'


def test_dates_and_allowed_values_read_alike_in_both_notations() -> None:
    written = make_event(
        properties={"plan": make_property(allowed_values=("no", "2026-11-22", "1"))},
        review_by="2027-01-31",
        owners=("@team",),
        deprecation=Deprecation(reason="Nobody asks", replaced_by="other@2"),
        lint_opt_outs=(LintOptOut(rule="sampling_too_low", reason="Very many", until="2026-12-31"),),
    )
    yaml = spec_to_yaml(make_spec(written)).replace("'2027-01-31'", "2027-01-31").replace("'2026-12-31'", "2026-12-31")

    assert decode_spec(yaml) == decode_spec(encode_spec(make_spec(written))) == make_spec(written)


def test_an_empty_config_is_not_the_same_as_none() -> None:
    assert encode_spec(make_spec(config=TelemetryDefaults())) != encode_spec(make_spec())
    assert decode_spec(encode_spec(make_spec(config=TelemetryDefaults()))).config == TelemetryDefaults()


def test_settings_of_providers_cannot_be_changed_after_reading() -> None:
    spec = decode_spec(SIGIL_CANONICAL.replace(b'"${POSTHOG_KEY}"', b'{"hosts":["a",{"b":1}]}'))

    assert spec.config is not None
    (provider,) = spec.config.providers
    assert provider.config == {"projectApiKey": {"hosts": ("a", {"b": 1})}}
    assert type(provider.config["projectApiKey"]["hosts"][1]) is FrozenDict
    assert hash(provider) == hash(ProviderDefinition(type=provider.type, config=provider.config))


@given(strategies.specs())
def test_json_and_yaml_carry_a_spec_back_and_forth_byte_for_byte(spec: TelemetrySpec) -> None:
    canonical = encode_spec(spec)
    from_json = decode_spec(canonical)
    from_yaml = decode_spec(spec_to_yaml(from_json))

    assert from_json == from_yaml == spec
    assert encode_spec(from_json) == encode_spec(from_yaml) == canonical
    assert checksum(from_yaml) == checksum(spec)


@given(strategies.blueprints(), strategies.overrides(), strategies.floors())
def test_layers_come_back_as_they_were_written(
    blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> None:
    assert decode_document(encode_document(blueprint), AppBlueprint, what="blueprint") == blueprint
    assert decode_document(encode_document(override), TenantOverride, what="override") == override
    assert decode_document(encode_document(floor), PrivacyFloor, what="floor") == floor


@given(strategies.specs(), strategies.blueprints(), strategies.overrides(), strategies.floors())
def test_an_effective_config_comes_back_as_it_was_written(
    spec: TelemetrySpec, blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> None:
    config = resolve_config(spec, blueprint, override, floor, installation=make_installation(), revision=7)

    written = encode_document(config)

    assert decode_document(written, EffectiveConfig, what="config") == config
    assert encode_document(decode_document(written, EffectiveConfig, what="config")) == written


def test_data_that_was_parsed_already_is_converted_under_the_same_rules() -> None:
    with pytest.raises(InvalidDocument) as caught:
        convert_document({"defaultSamplingRate": 7.5, "events": {"a@0": {}}}, TenantOverride, what="override")

    assert [str(error) for error in caught.value.errors] == [
        "defaultSamplingRate: must be at most 1",
        "events[\"a@0\"]: the key must be an event's name, or one version of it, such as 'order_placed@2'",
    ]
    assert str(caught.value).startswith("the override breaks 2 rules: defaultSamplingRate: must be at most 1; ")


HOSTILE = {
    "a number where text belongs": "meta: {name: a, version: 1, title: 2026}",
    "a word where a truth value belongs": "meta: {name: a, version: 1, title: t}\nevents: [{required: no}]",
    "octal": "meta: {name: a, version: 010, title: t}",
    "not a number": '{"meta": {"name": "a", "version": NaN, "title": "t"}}',
    "infinity": '{"meta": {"name": "a", "version": Infinity, "title": "t"}}',
    "yaml infinity": "meta: {name: a, version: .inf, title: t}",
    "4000 digits": '{"meta": {"name": "a", "version": ' + "9" * 4000 + ', "title": "t"}}',
    "beyond exact integers": '{"meta": {"name": "a", "version": 9007199254740993, "title": "t"}}',
    "lone surrogate": '{"meta": {"name": "a", "version": 1, "title": "\\ud800"}}',
    "NUL": '{"meta": {"name": "a", "version": 1, "title": "\\u0000"}}',
    "NUL in yaml": 'meta: {name: a, version: 1, title: "\\0"}',
    "NUL in a key": '{"meta": {"name": "a", "version": 1, "title": "t"}, "\\u0000": 1}',
    "repeated key": '{"meta": {"name": "a", "name": "b", "version": 1, "title": "t"}}',
    "repeated yaml key": "meta: {name: a, name: b, version: 1, title: t}",
    "list": "[]",
    "text": "hello",
    "null": "null",
    "comment": "# nothing here",
    "alias": "meta: &m {name: a}\nevents: [*m]",
    "tag": "meta: !!python/object:os.system {}",
    "two documents": "meta: {}\n---\nmeta: {}",
    "html": "<!doctype html><p>404</p>",
    "source code": "export const Sigil: TelemetrySpec = { meta: { name: 'a' } };",
    "prototype": '{"__proto__": {}, "constructor": {}}',
    "binary": bytes(range(1, 256)),
    "a million keys": "{" + ",".join(f'"k{index}":1' for index in range(150_000)) + "}",
    "a million events": '{"events":[' + "{}," * 500_000 + "{}]}",
    "deep": '{"meta":' + "[" * 900 + "]" * 900 + "}",
    "deeper": '{"meta":' + "[" * 100_000,
}


@pytest.mark.parametrize("document", HOSTILE.values(), ids=HOSTILE)
def test_hostile_documents_are_refused_and_nothing_else_happens(document: str | bytes) -> None:
    with pytest.raises(InvalidDocument) as caught:
        decode_spec(document)

    assert 1 <= len(caught.value.errors) <= 101
    assert caught.value.errors[0].message


@given(st.data())
def test_a_damaged_document_is_read_or_refused_and_nothing_else_happens(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from((SIGIL_CANONICAL, SIGIL.read_bytes())))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 20)))
    damaged = (
        whole[:start] + data.draw(st.one_of(st.binary(max_size=8), strategies.texts().map(str.encode))) + whole[end:]
    )

    try:
        spec = decode_spec(damaged)
    except InvalidDocument:
        return
    assert decode_spec(encode_spec(spec)) == spec


@pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the files of other projects are not here")
def test_files_of_other_projects_are_refused_with_a_reason() -> None:
    files = [path for path in sorted(REAL_FILES.rglob("*")) if path.is_file()]

    for path in files:
        with pytest.raises(InvalidDocument):
            decode_spec(path.read_bytes())

    assert files
