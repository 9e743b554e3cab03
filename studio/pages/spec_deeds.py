"""Pages that take a whole draft out, or give it up."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from studio.addresses import address_of
from studio.pages.downloads import as_file
from studio.pages.shell import confirm
from studio.people import actor_of
from telemetry.core.codec import encode_spec, spec_to_yaml
from telemetry.core.errors import NotAllowed
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.services.specs import discard_draft
from tenants.actors import Actor, require

__all__ = ["discard", "download_json", "download_yaml"]


def discard(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The draft says what the published version says."""
    actor, record = actor_of(request), get_object_or_404(SpecRecord, pk=spec_id)
    require(actor, "spec.edit")
    reviewed = request.POST.get("revision", "")

    def deed() -> str:
        expected = int(reviewed) if reviewed.isdecimal() else 0
        discard_draft(actor=actor, name=record.name, expected_revision=expected)
        return f"The draft of {record.name} says what is published."

    return confirm(
        request,
        noun=SpecRecord,
        row=record,
        title=f"Discard the draft of {record.name}",
        text=f"Every change of {record.name} that is not published is lost: texts, defaults, events. The draft then "
        "says what the published version says.",
        button="Discard the draft",
        back=address_of(record),
        deed=deed,
        hidden={"revision": record.draft_revision},
    )


def download_yaml(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The draft as a YAML file for people."""
    record = _visible(actor_of(request), spec_id)
    return as_file(spec_to_yaml(spec_from_records(record)), _stem(record), "yaml")


def download_json(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The draft as a JSON file, in canonical form."""
    record = _visible(actor_of(request), spec_id)
    return as_file(encode_spec(spec_from_records(record)), _stem(record), "json")


def _stem(record: SpecRecord) -> str:
    return f"{record.name}-{record.draft_version}-draft.telemetry"


def _visible(actor: Actor, spec_id: int) -> SpecRecord:
    if not actor.can_somewhere("view"):
        raise NotAllowed("your role does not include the ability view", ability="view")
    return get_object_or_404(SpecRecord, pk=spec_id)
