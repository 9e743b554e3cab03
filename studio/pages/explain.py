"""Why the effective config is what it is: every value with the layer that set it."""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse

from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import render_page
from telemetry.core.config import EffectiveConfig, EffectiveEvent
from telemetry.core.enums import Layer
from telemetry.core.errors import Conflict
from telemetry.core.layers import event_reference
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.services.configs import effective_config
from tenants.models import Installation

__all__ = ["Leaf", "explain", "leaves_of"]


class Leaf(NamedTuple):
    """One value: where it is, what it is, which layer set it and where there, and which layers were not followed."""

    path: str
    value: str
    layer: Layer
    source: str
    limited: tuple[Layer, ...]


def explain(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The table of all values."""
    installation = installation_or_404(public_id)
    context: dict[str, object] = {"head": head_of(request, installation, "explain")}
    try:
        config = effective_config(installation)
    except Conflict as error:
        context["problem"] = error.message
    else:
        context |= {"leaves": leaves_of(config), "missing": config.missing, "revision": config.revision}
    return render_page(
        request, "studio/pages/explain.html", noun=Installation, title="Explain", row=installation, **context
    )


def leaves_of(config: EffectiveConfig) -> list[Leaf]:
    """Every value that has a provenance, in the order of the document."""
    return [
        Leaf(path, _shown(value), trace.layer, trace.path, trace.limited)
        for path, value in _values(config, "")
        if (trace := config.provenance.get(path)) is not None
    ]


def _values(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Each part of the config with its path, outer parts before inner ones."""
    yield path, value
    for step, part in _parts(value, path):
        yield from _values(part, step)


def _parts(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            yield key_path(path, field.encode_name), getattr(value, field.name)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield key_path(path, str(key)), part
    elif isinstance(value, tuple):
        for part in value:
            if isinstance(part, EffectiveEvent):
                yield f"{path}[{event_reference(part.name, part.version)}]", part


def _shown(value: object) -> str:
    return "none" if value is None else json.dumps(to_plain(value), ensure_ascii=False)
