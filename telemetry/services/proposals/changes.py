"""The documents that proposals change, and the changes put into them."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import msgspec

from telemetry.core.codec import convert_document
from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict
from telemetry.core.plain import to_plain
from telemetry.core.proposals import JsonPatch, apply_patch, make_patch, rebase_patch
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_document
from telemetry.models import Proposal, SpecVersion
from telemetry.services.config_comparisons import override_at_number

__all__ = [
    "changed_override",
    "changed_spec",
    "plain_document",
    "reverse_patch",
]

_SPEC, _OVERRIDE = "telemetry spec", "tenant override"


def plain_document(value: msgspec.Struct) -> dict[str, Any]:
    """The value's canonical document, not yet as text."""
    return cast("dict[str, Any]", to_plain(value))


def changed_spec(spec: TelemetrySpec, patch: Sequence[Mapping[str, Any]]) -> TelemetrySpec:
    """The spec with the patch; raises ``InvalidDocument``, as ``PatchConflict`` where the patch does not fit it."""
    document = plain_document(spec)
    return convert_document(apply_patch(document, rebase_patch(patch, document)), TelemetrySpec, what=_SPEC)


def changed_override(override: TenantOverride, patch: Sequence[Mapping[str, Any]]) -> TenantOverride:
    """The override with the patch; errors as for ``changed_spec``.

    What the patch replaces may not have been said before: it is said now.
    """
    document = plain_document(override)
    return convert_document(apply_patch(document, _opened(document, patch)), TenantOverride, what=_OVERRIDE)


def reverse_patch(proposal: Proposal) -> JsonPatch:
    """What takes the published change back, for documents that hold it; up to two queries.

    Raises ``Conflict`` if the version that it changed is gone.
    """
    if proposal.installation is not None:
        override = override_at_number(proposal.installation, proposal.base_version or None)
        return _between(changed_override(override, proposal.patch), override)
    spec = spec_from_document(_version_before(proposal).document)
    return _between(changed_spec(spec, proposal.patch), spec)


def _between(before: msgspec.Struct, after: msgspec.Struct) -> JsonPatch:
    return make_patch(plain_document(before), plain_document(after))


def _version_before(proposal: Proposal) -> SpecVersion:
    """The version that the one with the change followed."""
    versions = SpecVersion.objects.filter(spec__name=proposal.spec_name, version=proposal.applied_version or 0)
    applied = versions.select_related("based_on").order_by().first()
    before = None if applied is None else applied.based_on
    if before is None:
        raise Conflict(f"the version of {proposal.spec_name} before the change is gone")
    return before


def _opened(document: Mapping[str, Any], patch: Sequence[Mapping[str, Any]]) -> JsonPatch:
    """The patch for a document that may lack the objects around what it adds, or have what it adds already."""
    opened: JsonPatch = []
    known: set[str] = set()
    for operation in patch:
        steps = str(operation.get("path", "")).split("/")[1:]
        place: Any = document
        for depth, step in enumerate(steps[:-1], start=1):
            path = "/" + "/".join(steps[:depth])
            if isinstance(place, list):
                # What is in a list is there already, or the patch does not fit.
                break
            place = place.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(place, dict) else None
            if place is None and path not in known and operation.get("op") in ("add", "replace"):
                opened.append({"op": "add", "path": path, "value": {}})
                known.add(path)
        kind = "add" if operation.get("op") == "replace" else operation.get("op")
        opened.append({**operation, "op": kind} if kind is not None else dict(operation))
    return opened
