"""Contracts of events: one beside the events that measure it, its import, its end."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from studio import markup
from studio.addresses import address_of, list_address, page_address
from studio.admin.fields import LinesField, TextField, WholeNumberField
from studio.head import Deed, Fact, Head
from studio.pages.document_form import DocumentForm
from studio.pages.downloads import as_file
from studio.pages.forms import posted
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.errors import NotAllowed, TelemetryError
from telemetry.core.event_specs import EventSpec, payload_properties, types_in_words
from telemetry.formats.event_specs import GivenMeta
from telemetry.models import EventSpecRecord
from telemetry.selectors.event_specs import event_spec_by_id
from telemetry.services.event_specs import (
    ImportOutcome,
    compare_with_events,
    import_event_spec,
    remove_event_spec,
)
from tenants.actors import Actor, require, require_somewhere

__all__ = ["download_event_spec", "event_spec_page", "import_event_spec_page", "remove_event_spec_page"]


class PayloadRow(NamedTuple):
    """One property of a payload, as people read it."""

    name: str
    types: str
    is_required: bool
    is_personal: bool
    description: str


class EventSpecForm(DocumentForm):
    """A document, and what a JSON Schema leaves open."""

    places = {
        "meta.name": "name",
        "meta.version": "version",
        "meta.domain": "domain",
        r"pii\[": "pii",
    }

    name = TextField(
        label="Name of the event", help_text="For a JSON Schema, which has none. An EventSpec brings its own."
    )
    version = WholeNumberField(help_text="For a JSON Schema.")
    domain = TextField(help_text="The domain of the specs whose events it is compared with.")
    pii = LinesField(
        label="Personal data",
        help_text="Places in the payload, one per line, such as <code>address.street</code>; besides those that the "
        "document marks.",
    )
    field_order = ("file", "text", "name", "version", "domain", "pii")

    def given(self) -> GivenMeta:
        """What was typed beside the document."""
        data = self.cleaned_data
        return GivenMeta(data["name"], data["version"], data["domain"], data["pii"])


def import_event_spec_page(request: HttpRequest) -> HttpResponse:
    """A contract from a document; one of the same name and version is replaced."""
    actor = actor_of(request)
    require(actor, "spec.edit")
    form = EventSpecForm(posted(request), request.FILES if request.method == "POST" else None)
    form.fields["text"].help_text = "An EventSpec or a JSON Schema of the payload, as YAML or JSON."
    if form.is_bound and form.is_valid():
        try:
            record, outcome = import_event_spec(actor=actor, document=form.document(), given=form.given())
        except NotAllowed:
            raise
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The EventSpec {record} {_WORDS[outcome]}.")
            return HttpResponseRedirect(address_of(record))
    context: dict[str, Any] = {
        "form": form,
        "lead": "An EventSpec says what an event is, apart from telemetry. Once there is one in a domain, lint says "
        "where the events of its specs depart from their contracts. One of the same name and version is replaced.",
        "button": "Import",
        "back": list_address(EventSpecRecord),
    }
    template = "studio/pages/form.html"
    return render_page(request, template, noun=EventSpecRecord, title="Import an EventSpec", **context)


_WORDS = {
    ImportOutcome.ADDED: "was added",
    ImportOutcome.REPLACED: "was replaced",
    ImportOutcome.UNCHANGED: "says what it said before",
}


def event_spec_page(request: HttpRequest, event_spec_id: int) -> HttpResponse:
    """The contract, and where the events of its name and version depart from it."""
    actor = actor_of(request)
    record, contract, measured = compare_with_events(actor=actor, event_spec_id=event_spec_id)
    context: dict[str, Any] = {
        "head": _head(actor, record, contract),
        "contract": contract,
        "measured": [(each, address_of(each.event), address_of(each.event.spec)) for each in measured],
        "rows": list(_rows(contract)),
        "is_open": payload_properties(contract) is None,
        "document": markup.document(record.document),
    }
    template = "studio/pages/event_spec.html"
    return render_page(request, template, noun=EventSpecRecord, title=str(record), page_title="", row=record, **context)


def remove_event_spec_page(request: HttpRequest, event_spec_id: int) -> HttpResponse:
    """The contract is gone, after somebody was asked."""
    actor = actor_of(request)
    require(actor, "spec.edit")
    record = event_spec_by_id(event_spec_id)

    def deed() -> str:
        seen = request.POST.get("checksum", "")
        remove_event_spec(actor=actor, event_spec_id=event_spec_id, expected_checksum=seen)
        return f"The EventSpec {record} was removed."

    return confirm(
        request,
        noun=EventSpecRecord,
        row=record,
        title=f"Remove {record}",
        text=f"Lint compares events called {record} with no contract any more. Without any EventSpec in the domain, it "
        "asks for none. The contract itself lives elsewhere and can be imported again.",
        button="Remove the EventSpec",
        back=list_address(EventSpecRecord),
        deed=deed,
        hidden={"checksum": record.checksum},
    )


def download_event_spec(request: HttpRequest, event_spec_id: int) -> HttpResponse:
    """The contract as a JSON file, in canonical form."""
    require_somewhere(actor_of(request), "view")
    record = event_spec_by_id(event_spec_id)
    return as_file(record.document_bytes, f"{record.name}-{record.version}.event-spec", "json")


def _head(actor: Actor, record: EventSpecRecord, contract: EventSpec) -> Head:
    facts = [
        Fact("Domain", contract.meta.domain or markup.ABSENT),
        Fact("Owners", ", ".join(contract.meta.owners) or markup.ABSENT),
        Fact("Imported", markup.when_by(record.imported_at, record.imported_by_label)),
    ]
    deeds = [Deed("JSON", page_address(record, "json"), "download")]
    if actor.can("spec.edit"):
        deeds.append(Deed("Remove", page_address(record, "remove"), "delete", "danger"))
    return Head((markup.chip(contract.meta.stability.replace("_", " ")),), tuple(facts), tuple(deeds))


def _rows(contract: EventSpec) -> Iterator[PayloadRow]:
    known: Mapping[str, Any] = payload_properties(contract) or {}
    required = contract.payload.get("required", ())
    for name, node in known.items():
        is_described = isinstance(node, Mapping)
        yield PayloadRow(
            name,
            types_in_words(node if is_described else {}),
            name in required,
            name in contract.personal_properties,
            str(node.get("description", "")) if is_described else "",
        )
