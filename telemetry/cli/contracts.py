"""EventSpecs that commands read: the contracts with which the events of a spec are compared."""

from collections.abc import Collection, Sequence
from typing import Annotated, TypeAlias

import typer

from telemetry.cli.files import read_source
from telemetry.core.errors import InvalidDocument
from telemetry.core.event_specs import EventSpec
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.event_specs import read_event_spec
from telemetry.formats.sources import invalid

__all__ = ["ContractsOption", "contracts_of", "read_contracts"]

ContractsOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--event-specs", help="EventSpecs or self-describing JSON Schemas; a file or folder.", metavar="FILE"),
]


def read_contracts(sources: Sequence[str]) -> tuple[EventSpec, ...]:
    """The EventSpecs in files and folders; ``InvalidDocument``, whose message names the file, for what is none.

    Two of one name and version are refused, as a studio has one of them.
    """
    found: dict[tuple[str, int], EventSpec] = {}
    for file in (file for source in sources for file in read_source(source)):
        try:
            contract = read_event_spec(file.data)
        except InvalidDocument as error:
            raise InvalidDocument(error.errors, what=f"EventSpec in {file.name}") from None
        identity = (contract.meta.name, contract.meta.version)
        if identity in found:
            raise invalid("duplicate_event", "has the name and version of another", what=f"EventSpec in {file.name}")
        found[identity] = contract
    return tuple(found.values())


def contracts_of(spec: TelemetrySpec, contracts: Collection[EventSpec]) -> Collection[EventSpec] | None:
    """The contracts to compare the spec with, as a studio that has them does; ``None`` if its domain has none."""
    return contracts if any(each.meta.domain == spec.meta.domain for each in contracts) else None
