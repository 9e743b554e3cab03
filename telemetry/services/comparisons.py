"""Comparing two states of one spec: frozen versions, or the draft."""

from typing import NamedTuple

import msgspec

from telemetry.core.codec import encode_spec
from telemetry.core.diff import SpecDiff, diff_specs
from telemetry.core.errors import UnknownSpec
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.models import SpecRecord, SpecVersion
from telemetry.selectors.draft_states import DraftState

__all__ = ["DraftComparison", "compare_draft", "compare_specs", "compare_states", "says_the_same"]


class DraftComparison(NamedTuple):
    """The draft beside the newest frozen version, ``before``, which is ``None`` if none was ever published."""

    before: SpecVersion | None
    diff: SpecDiff


def compare_draft(state: DraftState) -> DraftComparison:
    """What publishing the draft would change; without a version before, nothing is compared.

    Two queries, one without a version; none for what was read before.
    """
    if state.newest_spec is None:
        return DraftComparison(None, SpecDiff(changes=()))
    return DraftComparison(state.newest, compare_specs(state.newest_spec, state.draft))


def compare_states(record: SpecRecord, before: int | None, after: int | None) -> SpecDiff:
    """What changed from one version of the spec to another; ``None`` stands for the draft. Raises ``UnknownSpec``.

    One query for each.
    """
    return compare_specs(_state(record, before), _state(record, after))


def compare_specs(before: TelemetrySpec, after: TelemetrySpec) -> SpecDiff:
    """Every change but that of the version's own number, which says nothing."""
    meta = msgspec.structs.replace(after.meta, version=before.meta.version)
    return diff_specs(before, msgspec.structs.replace(after, meta=meta))


def says_the_same(version: SpecVersion, spec: TelemetrySpec) -> bool:
    """Whether the spec, under the version's number, is the frozen document to the byte, orders included."""
    meta = msgspec.structs.replace(spec.meta, version=version.version)
    return encode_spec(msgspec.structs.replace(spec, meta=meta)) == version.document_bytes


def _state(record: SpecRecord, version: int | None) -> TelemetrySpec:
    if version is None:
        return spec_from_records(record)
    found = SpecVersion.objects.filter(spec=record, version=version).order_by().first()
    if found is None:
        raise UnknownSpec(f"the spec {record.name} has no version {version}")
    return spec_of_version(found)
