"""Two versions of an installation's override side by side."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminSelectWidget

from studio.pages.changes import GROUPS_PER_PAGE, class_filters, groups_of, tally
from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import render_page
from telemetry.core.enums import ChangeClass
from telemetry.core.errors import Conflict
from telemetry.services.config_comparisons import compare_configs
from tenants.models import Installation
from tenants.selectors import config_versions

__all__ = ["WHOLE", "compare"]

DEFAULTS = "defaults"
WHOLE = "The whole installation"


class CompareForm(forms.Form):
    """Two states: the app's defaults, or versions; without a choice, the newest two."""

    before = forms.ChoiceField(label="Before", widget=UnfoldAdminSelectWidget())
    after = forms.ChoiceField(label="After", widget=UnfoldAdminSelectWidget())

    def __init__(self, data: Any, *, numbers: Sequence[int]) -> None:
        states = [DEFAULTS, *(str(number) for number in reversed(numbers))]
        chosen = {
            "before": data.get("before") or (states[-2] if len(states) > 1 else DEFAULTS),
            "after": data.get("after") or states[-1],
        }
        super().__init__(chosen)
        for name in chosen:
            field: Any = self.fields[name]
            field.choices = [(state, _words(state)) for state in states]

    def states(self) -> tuple[int | None, int | None]:
        """The two numbers; ``None`` for the app's defaults."""
        before, after = (self.cleaned_data[name] for name in ("before", "after"))
        return _number(before), _number(after)


def compare(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Only what differs, by event, each change with its class and with what holds before and after."""
    installation = installation_or_404(public_id)
    numbers = list(config_versions(installation).values_list("number", flat=True))
    form = CompareForm(request.GET, numbers=numbers)
    context: dict[str, Any] = {
        "form": form,
        "versions": numbers,
        "head": head_of(request, installation, "history"),
    }
    if numbers and form.is_valid():
        context |= _comparison(request, installation, form)
    return render_page(
        request, "studio/pages/compare_configs.html", noun=Installation, title="Compare", row=installation, **context
    )


def _comparison(request: HttpRequest, installation: Installation, form: CompareForm) -> dict[str, Any]:
    try:
        diff = compare_configs(installation, *form.states())
    except Conflict as error:
        return {"problem": error.message}
    chosen = request.GET.get("class", "")
    picked = {name: form.data[name] for name in form.fields}
    changes = [change for change in diff.changes if chosen not in set(ChangeClass) or change.severity == chosen]
    page = Paginator(groups_of(changes, {}, whole=WHOLE), GROUPS_PER_PAGE).get_page(request.GET.get("page"))
    return {
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


def _number(state: str) -> int | None:
    return None if state == DEFAULTS else int(state)


def _words(state: str) -> str:
    return "The app's defaults" if state == DEFAULTS else f"Version {state}"
