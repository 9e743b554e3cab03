"""How the OpenAPI document is made: shapes and core values become components, and every address its error answers."""

import json
from collections.abc import Container, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter

from studio.api.errors import WORDS, ErrorBody
from studio.api.shapes import Shape
from telemetry.core.schema import build_spec_schema

__all__ = ["BearerScheme", "SessionScheme", "StructSchema", "add_error_responses", "parameters_of", "shortened"]

REFERENCE: Final = "#/components/schemas/{name}"
METHODS: Final = ("get", "put", "post", "delete", "patch")
# Answers that any address may give; those that need a caller, a path, a body or a precondition follow below.
ALWAYS: Final = (400, 406, 429, 500, 503)
WITH_RETRY_AFTER: Final = (429, 503)


class StructSchema(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]  # the library leaves it untyped
    """A struct is its own description: types, bounds, patterns and first docstring line go into the schema."""

    target_class = "msgspec.Struct"
    match_subclasses = True

    def get_name(self, auto_schema: AutoSchema, direction: Any) -> str:  # noqa: ARG002 - the library's signature
        """The struct's own name."""
        return str(self.target.__name__)

    def get_identity(self, auto_schema: AutoSchema, direction: Any) -> str:  # noqa: ARG002 - the library's signature
        """The same for a struct that an answer names and one that another struct holds."""
        return _identity(self.target.__name__)

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """The struct's JSON schema; the structs and enumerations that it holds become components of their own."""
        _, components = msgspec.json.schema_components([self.target], ref_template=REFERENCE)
        shown = {name: shortened(schema) for name, schema in components.items()} | _spec_components(components)
        own: dict[str, Any] = shown.pop(self.target.__name__)
        for name, schema in shown.items():
            component = ResolvedComponent(  # type: ignore[no-untyped-call]  # the library leaves it untyped
                name=name, type=ResolvedComponent.SCHEMA, object=_identity(name), schema=schema
            )
            auto_schema.registry.register_on_missing(component)
        return own


def _identity(name: str) -> str:
    return f"struct {name}"


def _spec_components(wanted: Container[str]) -> dict[str, Any]:
    """The parts of a spec as the core describes them for editors, with a sentence for each field."""
    definitions = json.dumps(build_spec_schema()["$defs"]).replace("#/$defs/", REFERENCE.format(name=""))
    return {name: schema for name, schema in json.loads(definitions).items() if name in wanted}


def shortened(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with the first paragraph of its description, which is the one that speaks to callers."""
    described = dict(schema)
    if "description" in described:
        described["description"] = " ".join(described["description"].split("\n\n")[0].split())
    described.pop("title", None)
    return described


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library leaves it untyped
    """How keys are presented."""

    target_class = "studio.api.auth.KeyAuthentication"
    match_subclasses = True
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - the library's signature
        """A bearer token."""
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "tgs_...",
            "description": "A key of an installation, or a person's own key; only ever in the header Authorization.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # the library leaves it untyped
    """How a browser is recognised."""

    target_class = "studio.api.auth.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002 - the library's signature
        """The session's cookie."""
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The login of the studio; writing needs the header X-CSRFToken too.",
        }


def parameters_of(type_: type[Shape]) -> list[OpenApiParameter]:
    """The parameters of an address whose query has this shape, for ``extend_schema``."""
    _, components = msgspec.json.schema_components([type_], ref_template=REFERENCE)
    return [_parameter(name, schema) for name, schema in components[type_.__name__]["properties"].items()]


def _parameter(name: str, schema: dict[str, Any]) -> OpenApiParameter:
    description = schema.pop("description", "")
    if schema.get("type") == "array":
        # One text, with commas between the values.
        return OpenApiParameter(name, schema, description=description, style="form", explode=False)
    return OpenApiParameter(name, _without_null(schema), description=description)


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; it is never null."""
    kinds: list[dict[str, Any]] = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return kinds[0] if kinds else schema


def add_error_responses(result: dict[str, Any], **_arguments: Any) -> dict[str, Any]:
    """Each operation names the errors that it may answer with, all of one body. For ``POSTPROCESSING_HOOKS``."""
    statuses = set()
    for method, operation in _operations(result):
        for status in _error_statuses(method, operation):
            operation["responses"].setdefault(str(status), {"$ref": f"#/components/responses/{_name(status)}"})
            statuses.add(status)
        operation["responses"] = dict(sorted(operation["responses"].items()))
    components = result.setdefault("components", {})
    components["responses"] = {_name(status): _error_response(status) for status in sorted(statuses)}
    _, schemas = msgspec.json.schema_components([ErrorBody], ref_template=REFERENCE)
    shown = {name: shortened(schema) for name, schema in schemas.items()}
    components["schemas"] = dict(sorted((components.get("schemas", {}) | shown).items()))
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in result["paths"].values():
        yield from ((method, path[method]) for method in METHODS if method in path)


def _error_statuses(method: str, operation: Mapping[str, Any]) -> Iterator[int]:
    yield from ALWAYS
    if any(operation.get("security", ())):
        yield from (401, 403)
    parameters = operation.get("parameters", ())
    if any(parameter["in"] == "path" for parameter in parameters):
        yield 404
    if method in ("post", "put"):
        yield 409
    if "requestBody" in operation:
        yield from (413, 415)
    if any(parameter["name"] == "If-Match" for parameter in parameters):
        yield from (412, 428)


def _name(status: int) -> str:
    return HTTPStatus(status).name.title().replace("_", "")


def _error_response(status: int) -> dict[str, Any]:
    code, detail = WORDS[status]
    response: dict[str, Any] = {
        "description": detail,
        "content": {
            "application/json": {
                "schema": {"$ref": REFERENCE.format(name="ErrorBody")},
                "example": {"detail": detail, "code": code, "errors": []},
            }
        },
    }
    if status in WITH_RETRY_AFTER:
        response["headers"] = {
            "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds until trying again may help."}
        }
    return response
