"""Schemas as tests write them."""

import json
from pathlib import Path
from typing import Any

from telemetry.formats.json_schema import EventSchema, read_schema

__all__ = ["IGLU", "make_schema", "with_value"]

# Real schemas of other projects, beside the checkout; tests that read them skip where they are not.
IGLU = Path(__file__).resolve().parents[3] / "shared" / "data" / "iglu"


def make_schema(**keywords: Any) -> EventSchema:
    """The schema of an object with these keywords; an underscore before the name stands for a dollar sign."""
    named = {name.replace("_", "$", 1) if name.startswith("_") else name: value for name, value in keywords.items()}
    return read_schema(json.dumps({"type": "object", **named}))


def with_value(**keywords: Any) -> EventSchema:
    """The schema of an event with one property, ``value``, with these keywords."""
    return make_schema(properties={"value": keywords})
