"""Asking what would become of an event, before anybody sends it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec

from studio.api.auth import Caller
from studio.api.shapes import Shape
from studio.mcp.tool import Tool
from studio.mcp.tools.places import Place, installation_at
from telemetry.core.enums import ViolationCode
from telemetry.core.values import EMPTY_MAPPING
from telemetry.services.configs import effective_config
from telemetry.services.sample_checks import Sample, check_sample

__all__ = ["TOOLS"]


class SampleQuestion(Shape, frozen=True, kw_only=True):
    """An event as an app would send it, and where."""

    installation: Place
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    version: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)] | None = None
    properties: Mapping[str, Any] = EMPTY_MAPPING
    context: Annotated[
        Mapping[str, Any], msgspec.Meta(description="Its metadata: what `contextProperties` of the spec declares.")
    ] = EMPTY_MAPPING


class SampleProblem(Shape, frozen=True, kw_only=True):
    """One way in which the event is not as planned."""

    code: ViolationCode
    path: str
    message: str


class SampleAnswer(Shape, frozen=True, kw_only=True):
    """What would become of the event.

    `enabled` and `samplingRate` say whether and how often such events are kept. `stored` is what would be kept of a
    valid one, after redaction; `hidden` names what was hidden or left out.
    """

    installation: UUID
    verdict: Literal["valid", "rejected"]
    name: str
    version: int | None
    problems: tuple[SampleProblem, ...]
    enabled: bool | None
    sampling_rate: float | None
    stored: Mapping[str, Any] | None
    hidden: tuple[str, ...]


def validate_sample(caller: Caller, asked: SampleQuestion) -> SampleAnswer:
    """The verdict of the installation's config; nothing is stored, counted or sent."""
    installation = installation_at(caller, asked.installation, "config.read")
    sample = Sample(asked.name, asked.version, asked.properties, asked.context)
    found = check_sample(effective_config(installation), sample)
    return SampleAnswer(
        installation=installation.public_id,
        verdict="valid" if found.is_valid else "rejected",
        name=asked.name,
        version=found.version,
        problems=tuple(
            SampleProblem(code=each.code, path=each.path, message=each.message) for each in found.violations
        ),
        enabled=found.enabled,
        sampling_rate=found.sampling_rate,
        stored=found.stored,
        hidden=found.hidden,
    )


TOOLS: Final = (
    Tool(
        name="validate_sample",
        title="Validate a sample event",
        description="Whether an event would be valid at an installation, what is wrong with it, and what would be "
        "stored of it after redaction. Nothing is stored or counted.",
        arguments=SampleQuestion,
        answer_type=SampleAnswer,
        answer=validate_sample,
    ),
)
