"""A proposal as people look at it: the change beside what holds, what it takes to publish it, and how to edit it."""

from typing import NamedTuple

import msgspec

from telemetry.core.codec import decode_document
from telemetry.core.config import TenantOverride
from telemetry.core.diff import SpecDiff
from telemetry.core.errors import Conflict, FieldError, InvalidDocument, TelemetryError
from telemetry.core.proposals import JsonPatch, make_patch
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.core.yaml_documents import write_yaml
from telemetry.mappers import spec_from_document
from telemetry.models import Proposal, ProposalStatus, SpecRecord, SpecVersion, VersionStatus
from telemetry.services.approvals import approval_need
from telemetry.services.comparisons import compare_specs
from telemetry.services.config_comparisons import compare_overrides, override_at_number
from telemetry.services.proposals.changes import changed_override, changed_spec, plain_document
from telemetry.services.what_if.asking import WhatIf, what_if_override, what_if_spec
from tenants.actors import Actor
from tenants.selectors import published_config

__all__ = ["ProposalView", "edited_patch", "publication_obstacle", "view_proposal", "what_if_proposal"]

_FIXED = (ProposalStatus.APPLIED, ProposalStatus.REJECTED)


class ProposalView(NamedTuple):
    """The change, from what holds to what would; ``problem`` says why it does not fit any more, else it is empty.

    ``document`` is what a person edits, as YAML: the event of the spec, or the whole override.
    """

    before_words: str
    diff: SpecDiff
    document: str
    problem: str
    old: TelemetrySpec | TenantOverride | None = None
    new: TelemetrySpec | TenantOverride | None = None


def view_proposal(proposal: Proposal) -> ProposalView:
    """The change of what is published now, or of what was when it was decided; up to six queries."""
    try:
        return _of_override(proposal) if proposal.is_of_tenant else _of_spec(proposal)
    except TelemetryError as error:
        return ProposalView("", SpecDiff(changes=()), "", error.message)


def publication_obstacle(actor: Actor, proposal: Proposal, view: ProposalView, record: SpecRecord | None) -> str:
    """Why the actor cannot publish the change at once, in words; empty if nothing is in the way.

    ``record`` is the spec that the proposal is about, if there is one.
    """
    if proposal.is_of_tenant:
        may = actor.can("config.edit", proposal.tenant_id) and actor.can("config.publish", proposal.tenant_id)
        return "" if may else "your role does not include publishing configs"
    if not actor.can("spec.publish"):
        return "your role does not include publishing specs"
    if record is None or record.has_changes:
        return "the draft holds other changes, which would be published too"
    if isinstance(view.old, TelemetrySpec) and isinstance(view.new, TelemetrySpec):
        need = approval_need(view.old, view.new)
        if need.is_required:
            return "changes of this kind need the approval of somebody else"
        if need.loosened and not actor.can("privacy.loosen"):
            return "it protects less than before, which your role does not include"
    return ""


def what_if_proposal(*, actor: Actor, proposal: Proposal) -> WhatIf:
    """What would have happened in the last days, had the change been live; nothing is stored.

    Needs ``view`` in its tenant, or in the workspace. Raises ``Conflict`` if the change does not fit what holds now.
    """
    view = view_proposal(proposal)
    if isinstance(view.new, TelemetrySpec):
        return what_if_spec(actor=actor, spec=view.new)
    if view.new is None or proposal.installation is None:
        raise Conflict(view.problem or "the change does not fit what holds now")
    return what_if_override(actor=actor, installation=proposal.installation, override=view.new)


def edited_patch(proposal: Proposal, document: str) -> JsonPatch:
    """What turns what holds into what the person wrote: the event, or the whole override, as JSON or YAML.

    Raises ``InvalidDocument``, with paths in what was written, and ``Conflict`` if nothing is published any more.
    """
    if proposal.installation is not None:
        override = decode_document(document, TenantOverride, what="tenant override")
        live = published_config(proposal.installation)
        before = override_at_number(proposal.installation, None if live is None else live.number)
        return make_patch(plain_document(before), plain_document(override))
    event = decode_document(document, EventDefinition, what="event")
    if (event.name, event.version) != (proposal.event_name, proposal.event_version):
        message = f"must stay {proposal.event_name} in version {proposal.event_version}"
        raise InvalidDocument([FieldError("wrong_name", "name", message)], what="event")
    old = spec_from_document(_version(proposal, None).document)
    return make_patch(plain_document(old), plain_document(_with_event(old, event)))


def _of_spec(proposal: Proposal) -> ProposalView:
    version = _version(proposal, proposal.base_version if proposal.status in _FIXED else None)
    old = spec_from_document(version.document)
    new = changed_spec(old, proposal.patch)
    key = (proposal.event_name, proposal.event_version)
    event = next((each for each in new.events if (each.name, each.version) == key), None)
    document = "" if event is None else write_yaml(plain_document(event))
    return ProposalView(f"Version {version.version}", compare_specs(old, new), document, "", old, new)


def _of_override(proposal: Proposal) -> ProposalView:
    installation = proposal.installation
    if installation is None:
        raise Conflict("the installation is gone")
    live = published_config(installation)
    number = None if live is None else live.number
    if proposal.status in _FIXED:
        number = proposal.base_version or None
    old = override_at_number(installation, number)
    new = changed_override(old, proposal.patch)
    words = "The app's defaults" if number is None else f"Version {number}"
    diff = compare_overrides(installation, old, new)
    return ProposalView(words, diff, write_yaml(plain_document(new)), "", old, new)


def _version(proposal: Proposal, number: int | None) -> SpecVersion:
    rows = SpecVersion.objects.filter(spec__name=proposal.spec_name).order_by()
    wanted = rows.filter(status=VersionStatus.PUBLISHED) if number is None else rows.filter(version=number)
    found = wanted.first()
    if found is None:
        raise Conflict(f"no version of {proposal.spec_name} is published any more")
    return found


def _with_event(spec: TelemetrySpec, event: EventDefinition) -> TelemetrySpec:
    key = (event.name, event.version)
    events = tuple(event if (each.name, each.version) == key else each for each in spec.events)
    return msgspec.structs.replace(spec, events=events)
