"""The outline of an event has its names, types and sizes, and none of its values."""

import json

from hypothesis import given

from telemetry.core.compiled import compile_config
from telemetry.core.events import Envelope
from telemetry.core.resolution import resolve_config
from telemetry.detection.outline import outline
from tests.core.builders import make_context, make_envelope, make_event, make_installation, make_property, make_spec
from tests.core.strategies import envelopes_for

EVENT = make_event(properties={"step": make_property(), "Product Id": make_property("number")})
RULES = compile_config(resolve_config(make_spec(EVENT), installation=make_installation())).find("step", 1)


def test_each_name_has_its_type_and_size() -> None:
    envelope = make_envelope(
        properties={
            "step": "CANARY",
            "Product Id": 7,
            "colour": None,
            "cart": [1, 2, 3],
            "address": {"street": "CANARY"},
            "isNew": True,
            "alice@example.com": 1,
        },
        context=make_context(metadata={"page": "/CANARY"}),
    )

    assert outline(envelope, RULES) == {
        "properties": {
            "names": {
                "step": {"type": "string", "size": 6, "declared": True},
                "Product Id": {"type": "number", "declared": True},
                "colour": {"type": "null", "declared": False},
                "cart": {"type": "list", "size": 3, "declared": False},
                "address": {"type": "object", "size": 1, "declared": False},
                "isNew": {"type": "boolean", "declared": False},
            },
            "unnamed": 1,
        },
        "metadata": {"names": {"page": {"type": "string", "size": 7, "declared": False}}, "unnamed": 0},
    }


def test_of_very_many_names_the_first_are_shown_and_the_others_counted() -> None:
    found = outline(make_envelope(properties={f"name{number}": 1 for number in range(130)}), None)["properties"]

    assert (len(found["names"]), found["unnamed"]) == (100, 30)


def test_what_no_decoder_makes_has_an_outline_too() -> None:
    strange = make_envelope(properties="CANARY", context="CANARY")
    odd = make_envelope(properties={"step": object(), 3: 4})

    assert outline(strange, None) == {"properties": {"names": {}, "unnamed": 0}}
    assert outline(odd, None)["properties"] == {"names": {"step": {"type": "other", "declared": False}}, "unnamed": 1}


@given(envelopes_for(EVENT))
def test_no_value_is_in_it(envelope: Envelope) -> None:
    shape = json.dumps(outline(envelope, RULES))

    for value in envelope.properties.values():
        if isinstance(value, str) and len(value) > 9:
            assert value not in shape
