"""Pages that take a whole document in: looked at first, if somebody wants that, then saved as a draft."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from unfold.widgets import UnfoldAdminSelectWidget

from studio import markup
from studio.addresses import address_of, list_address, page_address
from studio.pages.changes import groups_of, tally
from studio.pages.document_form import DocumentForm
from studio.pages.findings import SEVERITY_WORDS, shown_findings, worst_first
from studio.pages.foreign_documents import CHOICES, GUESS, Converted, convert, shown_losses
from studio.pages.forms import posted
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.enums import Severity
from telemetry.core.errors import NotAllowed, StaleRevision, TelemetryError
from telemetry.core.lint import Finding
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.services.comparisons import compare_specs
from telemetry.services.drafts import next_version
from telemetry.services.linting import lint_as_draft, lint_draft
from telemetry.services.specs import check_document, create_spec, replace_draft
from tenants.actors import Actor, require

__all__ = ["import_into", "import_new"]

TEMPLATE: Final = "studio/pages/import_spec.html"
# More than a person reads at once; after the import, the pages of the draft have them all.
SHOWN_FINDINGS: Final = 50
SHOWN_GROUPS: Final = 25


class ImportForm(DocumentForm):
    """A document, the format that it has, and the draft that it was written for."""

    format = forms.ChoiceField(
        label="What it is",
        required=False,
        choices=CHOICES,
        widget=UnfoldAdminSelectWidget(),
        help_text="Plans of other formats are turned into a spec, and what does not fit is shown before anything is "
        "saved.",
    )
    field_order = ("file", "text", "format")
    expected_revision = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def take_foreign(self, options: ImportOptions) -> Converted | None:
        """A document of another format gives way to the spec that it became, which is then what is saved.

        ``None`` for one that is a spec already. Raises ``InvalidDocument`` as ``convert`` does.
        """
        file = self.cleaned_data["file"]
        found = convert(
            self.document(),
            file_name=file.name if file else "",
            format_=self.cleaned_data["format"],
            options=options,
        )
        if found is not None:
            self.replace_text(found.text, format=GUESS)
        return found


def import_new(request: HttpRequest) -> HttpResponse:
    """A new spec from a document."""
    actor = actor_of(request)
    require(actor, "spec.edit")
    form = _form(request, {})
    checked: Mapping[str, Any] = {}
    if form.is_bound and form.is_valid():
        try:
            converted = form.take_foreign(ImportOptions())
            spec = check_document(actor=actor, document=form.document())
            if "_check" not in request.POST and converted is None:
                record = create_spec(actor=actor, spec=spec)
                return _imported(request, record, f"The spec {record.name} was added as a draft.")
            checked = _checked(form, spec, None, converted)
        except NotAllowed:
            raise
        except TelemetryError as error:
            form.refuse(error)
    lead = "The document becomes the draft of a new spec. Nothing is published."
    context: dict[str, Any] = {"form": form, "lead": lead, "button": "Import", "back": list_address(SpecRecord)}
    return render_page(request, TEMPLATE, noun=SpecRecord, title="Import a spec", **context, **checked)


def import_into(request: HttpRequest, spec_id: int) -> HttpResponse:
    """The draft says what the document says."""
    actor, record = actor_of(request), get_object_or_404(SpecRecord, pk=spec_id)
    require(actor, "spec.edit")
    initial = {"expected_revision": record.draft_revision}
    form = _form(request, initial)
    checked: Mapping[str, Any] = {}
    if form.is_bound and form.is_valid():
        try:
            converted = form.take_foreign(ImportOptions(name=record.name, version=next_version(record)))
            if "_check" not in request.POST and converted is None:
                _replace(actor, record, form)
                record.refresh_from_db()
                return _imported(request, record, "The draft says what the document says. Nothing is published yet.")
            spec = check_document(actor=actor, document=form.document(), record=record)
            checked = _checked(form, spec, record, converted)
        except NotAllowed:
            raise
        except StaleRevision:
            form.take_new_state(initial)
        except TelemetryError as error:
            form.refuse(error)
    lead = (
        f"The document replaces the whole draft of {record.name}: events that it leaves out are gone from the draft. "
        "Published versions stay as they are."
    )
    context: dict[str, Any] = {"form": form, "lead": lead, "button": "Replace the draft", "back": address_of(record)}
    return render_page(request, TEMPLATE, noun=SpecRecord, title="Import", row=record, **context, **checked)


def _form(request: HttpRequest, initial: Mapping[str, Any]) -> ImportForm:
    files = request.FILES if request.method == "POST" else None
    return ImportForm(posted(request), files, initial=dict(initial))


def _replace(actor: Actor, record: SpecRecord, form: ImportForm) -> None:
    expected = form.cleaned_data["expected_revision"] or 0
    replace_draft(actor=actor, name=record.name, document=form.document(), expected_revision=expected)


def _checked(
    form: ImportForm, spec: TelemetrySpec, record: SpecRecord | None, converted: Converted | None
) -> dict[str, Any]:
    """What lint says about the document, what it changes in the draft, if there is one, and what it lost on the way."""
    form.keep_text()
    found = lint_as_draft(spec, None if record is None else DraftState(record))
    shown: dict[str, Any] = {
        "checked": spec,
        "lint_words": _lint_words(found),
        "findings": shown_findings(record, spec, worst_first(found)[:SHOWN_FINDINGS]),
        "more_findings": max(0, len(found) - SHOWN_FINDINGS),
    }
    if converted is not None:
        shown |= {"converted": converted, **shown_losses(converted.report)}
    if record is not None:
        diff = compare_specs(spec_from_records(record), spec)
        groups = groups_of(diff.changes, {})
        shown |= {
            "tally": tally(diff),
            "groups": groups[:SHOWN_GROUPS],
            "more_groups": max(0, len(groups) - SHOWN_GROUPS),
            "before_words": "Draft",
            "after_words": "Document",
        }
    return shown


def _imported(request: HttpRequest, record: SpecRecord, said: str) -> HttpResponse:
    """On to the findings, if lint has something that somebody should decide, else to the draft."""
    found = lint_draft(record)
    messages.success(request, f"{said} Lint finds {_lint_words(found)}.")
    is_clean = all(each.severity is Severity.INFO for each in found)
    return HttpResponseRedirect(address_of(record) if is_clean else page_address(record, "findings"))


def _lint_words(found: tuple[Finding, ...]) -> str:
    """Such as "1 error, 2 hints"; "nothing" where there is none."""
    severities = [each.severity for each in found]
    counts = {word: severities.count(severity) for severity, word in SEVERITY_WORDS.items()}
    return ", ".join(markup.counted(count, word) for word, count in counts.items() if count) or "nothing"
