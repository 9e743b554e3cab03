"""Taking another environment's override over, after a look at what that would change."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import UnfoldAdminSelectWidget

from studio.addresses import page_address
from studio.pages.changes import groups_of, tally
from studio.pages.compare_configs import WHOLE
from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import render_page, report_refusal
from studio.people import actor_of
from telemetry.core.errors import Conflict, NotAllowed, TelemetryError
from telemetry.services.config_comparisons import compare_overrides
from telemetry.services.promotion import Promotion, plan_promotion, promotable_installations, promote_override
from telemetry.services.toggles import edited_override
from tenants.actors import require
from tenants.models import Installation

__all__ = ["promote"]


class SourceForm(forms.Form):
    """From where."""

    source = forms.ChoiceField(label="Promote from", widget=UnfoldAdminSelectWidget())

    def __init__(self, data: Any, *, sources: list[Installation]) -> None:
        ids = [str(source.public_id) for source in sources]
        super().__init__({"source": data.get("source") or (ids[0] if ids else "")})
        field: Any = self.fields["source"]
        field.choices = [(str(source.public_id), source.environment) for source in sources]


def promote(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What taking the other environment's override over would change here; sent, it is in the draft."""
    installation, actor = installation_or_404(public_id), actor_of(request)
    require(actor, "config.edit", installation.tenant_id)
    sources = promotable_installations(installation)
    form = SourceForm(request.POST if request.method == "POST" else request.GET, sources=sources)
    context: dict[str, Any] = {"head": head_of(request, installation, "history"), "sources": sources, "form": form}
    if sources and form.is_valid():
        chosen = form.cleaned_data["source"]
        source = next(each for each in sources if str(each.public_id) == chosen)
        if request.method == "POST":
            return _promote(request, source, installation)
        context |= _plan(source, installation)
    title = "Promote from another environment"
    return render_page(
        request, "studio/pages/promotion.html", noun=Installation, title=title, row=installation, **context
    )


def _promote(request: HttpRequest, source: Installation, target: Installation) -> HttpResponse:
    try:
        _, promotion = promote_override(
            actor=actor_of(request),
            source=source,
            target=target,
            expected_checksum=request.POST.get("expected_checksum") or None,
        )
    except NotAllowed:
        raise
    except TelemetryError as error:
        report_refusal(request, error)
        return HttpResponseRedirect(page_address(target, "promote"))
    messages.success(
        request,
        f"The draft says what version {promotion.source.number} of {source.environment} says"
        + (", without what cannot be taken over." if promotion.left_out else "."),
    )
    return HttpResponseRedirect(page_address(target, "toggles"))


def _plan(source: Installation, target: Installation) -> dict[str, Any]:
    edited = edited_override(target)
    try:
        promotion: Promotion = plan_promotion(source, target)
        diff = compare_overrides(target, edited.override, promotion.override)
    except Conflict as error:
        return {"problem": error.message, "source": source}
    before = "Draft" if edited.draft else f"Version {edited.live.number}" if edited.live else "The app's defaults"
    return {
        "source": source,
        "promotion": promotion,
        "diff": diff,
        "tally": tally(diff),
        "groups": groups_of(diff.changes, {}, whole=WHOLE),
        "before_words": before,
        "after_words": f"From {source.environment}",
        "edited": edited,
    }
