"""Pages that take a whole draft in or out, or give it up."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from studio.addresses import address_of, list_address
from studio.pages.downloads import as_file
from studio.pages.forms import PageForm, posted
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.codec import decode_spec, encode_spec, spec_to_yaml
from telemetry.core.errors import NotAllowed, StaleRevision, TelemetryError
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.services.specs import create_spec, discard_draft, replace_draft
from tenants.actors import Actor, require

__all__ = ["discard", "download_json", "download_yaml", "import_into", "import_new"]


class ImportForm(PageForm):
    """A document as a file or as text."""

    file = forms.FileField(label="A file", required=False, widget=UnfoldAdminFileFieldWidget())
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 16, "class": "code-input", "spellcheck": "false"}),
        help_text="YAML or JSON, in the form that the downloads have.",
    )
    expected_revision = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def clean_file(self) -> Any:
        """The file, within the size that a request may have."""
        file = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > settings.STUDIO_REQUEST_MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {settings.STUDIO_REQUEST_MAX_BYTES} bytes.")
        return file

    def clean(self) -> dict[str, Any]:
        """Exactly one of file and text."""
        data = super().clean() or {}
        if bool(data.get("file")) == bool(data.get("text", "").strip()) and not self.errors:
            raise forms.ValidationError("Choose a file or paste its text, one of the two.")
        return data

    def document(self) -> bytes | str:
        """What was sent, not read yet."""
        file = self.cleaned_data["file"]
        return file.read() if file else str(self.cleaned_data["text"])


def import_new(request: HttpRequest) -> HttpResponse:
    """A new spec from a document."""
    actor = actor_of(request)
    require(actor, "spec.edit")
    form = ImportForm(posted(request), request.FILES if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            record = create_spec(actor=actor, spec=decode_spec(form.document()))
        except NotAllowed:
            raise
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The spec {record.name} was added as a draft.")
            return HttpResponseRedirect(address_of(record))
    lead = "The document becomes the draft of a new spec. Nothing is published."
    context: dict[str, Any] = {"form": form, "lead": lead, "button": "Import", "back": list_address(SpecRecord)}
    return render_page(request, "studio/pages/form.html", noun=SpecRecord, title="Import a spec", **context)


def import_into(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The draft says what the document says."""
    actor, record = actor_of(request), get_object_or_404(SpecRecord, pk=spec_id)
    require(actor, "spec.edit")
    initial = {"expected_revision": record.draft_revision}
    form = ImportForm(posted(request), request.FILES if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            replace_draft(
                actor=actor,
                name=record.name,
                document=form.document(),
                expected_revision=form.cleaned_data["expected_revision"] or 0,
            )
        except NotAllowed:
            raise
        except StaleRevision:
            form.take_new_state(initial)
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, "The draft says what the document says. Nothing is published yet.")
            return HttpResponseRedirect(address_of(record))
    lead = (
        f"The document replaces the whole draft of {record.name}: events that it leaves out are gone from the draft. "
        "Published versions stay as they are."
    )
    context: dict[str, Any] = {"form": form, "lead": lead, "button": "Replace the draft", "back": address_of(record)}
    return render_page(request, "studio/pages/form.html", noun=SpecRecord, title="Import", row=record, **context)


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
