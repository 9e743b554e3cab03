"""A question that a client may ask: its description, its arguments, its answer."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from studio.api.auth import Caller
from studio.api.schema import shortened
from studio.api.shapes import Shape
from telemetry.core.codec import convert_document
from telemetry.core.errors import FieldError, TelemetryError

__all__ = ["MOST_BYTES", "Tool", "call_tool", "describe_tool"]

# Of one answer. Whoever reads it has little room: about 60,000 tokens would be far too much already.
MOST_BYTES: Final = 128 * 1024


class Tool(NamedTuple):
    """A question, answered by ``answer`` from the arguments; it reads and changes nothing.

    ``answer`` may raise any ``TelemetryError``.
    """

    name: str
    title: str
    description: str
    arguments: type[Shape]
    answer_type: type[Shape]
    answer: Callable[[Caller, Any], Shape]


def describe_tool(tool: Tool) -> dict[str, Any]:
    """The tool as clients are told of it."""
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": _schema_of(tool.arguments),
        "outputSchema": _schema_of(tool.answer_type),
        "annotations": {
            "title": tool.title,
            "readOnlyHint": True,
            "destructiveHint": False,
            "idempotentHint": True,
            "openWorldHint": False,
        },
    }


def call_tool(tool: Tool, caller: Caller, arguments: object) -> dict[str, Any]:
    """The result of a call: the answer as JSON text and as a value, or what was wrong, for the model to read."""
    try:
        answer = tool.answer(caller, convert_document(arguments, tool.arguments, what="call"))
    except TelemetryError as error:
        return _failure(error.code, error.message, error.errors)
    text = msgspec.json.encode(answer)
    if len(text) > MOST_BYTES:
        return _failure("too_large", f"the answer would have {len(text)} bytes; ask for less, page by page or by name")
    return {
        "content": [{"type": "text", "text": text.decode()}],
        "structuredContent": msgspec.to_builtins(answer),
        "isError": False,
    }


def _failure(code: str, message: str, rules: Sequence[FieldError] = ()) -> dict[str, Any]:
    # The message of an error with rules repeats the first of them in one line; here, each has a line of its own.
    head = message.split(f": {rules[0]}", 1)[0] if rules else message
    text = "\n".join([f"{code}: {head}", *(f"- {rule}" for rule in rules)])
    return {"content": [{"type": "text", "text": text}], "isError": True}


def _schema_of(shape: type[Shape]) -> dict[str, Any]:
    """The shape as a JSON Schema whose root is an object, as the protocol wants it."""
    _, components = msgspec.json.schema_components([shape], ref_template="#/$defs/{name}")
    parts: Mapping[str, Any] = {name: shortened(schema) for name, schema in components.items()}
    root = dict(parts[shape.__name__])
    inner = {name: schema for name, schema in parts.items() if name != shape.__name__}
    return root | ({"$defs": inner} if inner else {})
