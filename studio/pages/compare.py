"""The page that shows any two states of a spec side by side."""

from typing import Any, Final, cast

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminSelectWidget

from studio.pages.changes import class_filters, page_of_groups, tally
from studio.pages.shell import render_page
from studio.pages.spec_head import spec_head, spec_or_404
from studio.people import actor_of
from telemetry.core.enums import ChangeClass
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.specs import versions_of
from telemetry.services.comparisons import compare_states

__all__ = ["compare"]

DRAFT: Final = "draft"


class CompareForm(forms.Form):
    """Which two states; without an answer the newest version and the draft."""

    before = forms.ChoiceField(label="From", required=False, widget=UnfoldAdminSelectWidget())
    after = forms.ChoiceField(label="To", required=False, widget=UnfoldAdminSelectWidget())

    def __init__(self, data: Any, *, versions: list[int]) -> None:
        super().__init__(data)
        choices = [*((str(number), f"Version {number}") for number in versions), (DRAFT, "Draft")]
        for name in ("before", "after"):
            cast("forms.ChoiceField", self.fields[name]).choices = choices
        self.initial = {"before": str(versions[0]) if versions else DRAFT, "after": DRAFT}
        # What people pick in the browser is what was compared, also when they picked nothing.
        self.data = {name: self.data.get(name) or self.initial[name] for name in self.fields}

    def states(self) -> tuple[int | None, int | None]:
        """Both states, ``None`` for the draft."""
        before, after = (self.cleaned_data[name] for name in ("before", "after"))
        return (None if before == DRAFT else int(before), None if after == DRAFT else int(after))


def compare(request: HttpRequest, spec_id: int) -> HttpResponse:
    """Only what differs between two states of the spec, by event, each change with its class."""
    record = spec_or_404(actor_of(request), spec_id)
    versions = list(versions_of(record).values_list("version", flat=True))
    form = CompareForm(request.GET, versions=versions)
    context: dict[str, Any] = {
        "form": form,
        "versions": versions,
        "head": spec_head(request, DraftState(record), "compare"),
    }
    if versions and form.is_valid():
        diff = compare_states(record, *form.states())
        chosen = request.GET.get("class", "")
        picked = {name: form.data[name] for name in form.fields}
        changes = [change for change in diff.changes if chosen not in set(ChangeClass) or change.severity == chosen]
        page = page_of_groups(changes, record, request.GET.get("page"))
        context |= {
            "tally": tally(diff),
            "filters": class_filters(diff, picked, chosen),
            "groups": page,
            "page": page,
            "query": urlencode({**picked, "class": chosen}),
            "chosen": chosen,
            "diff": diff,
            "before_words": _words(form.data["before"]),
            "after_words": _words(form.data["after"]),
        }
    return render_page(request, "studio/pages/compare.html", noun=SpecRecord, title="Compare", row=record, **context)


def _words(state: str) -> str:
    return "Draft" if state == DRAFT else f"Version {state}"
