"""The toggles of an installation: what is collected of each event, what share, for how long."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from studio.addresses import page_address
from studio.pages.forms import posted
from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import render_page
from studio.pages.toggles_form import Baseline, TogglesForm, baseline_of, state_of
from studio.people import actor_of
from telemetry.core.errors import NotAllowed, StaleRevision, TelemetryError
from telemetry.services.overrides import save_override
from telemetry.services.toggles import publish_toggles
from tenants.actors import Actor
from tenants.models import Installation

__all__ = ["toggles"]


def toggles(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The grid; sent, it is saved as the draft, or saved and published at once."""
    installation, actor = installation_or_404(public_id), actor_of(request)
    baseline = baseline_of(installation)
    form = TogglesForm(posted(request), baseline=baseline)
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, _save(actor, installation, form, publish="publish" in request.POST))
        except NotAllowed:
            raise
        except StaleRevision:
            form.take_new_state(state_of(baseline))
        except TelemetryError as error:
            form.refuse(error)
        else:
            return HttpResponseRedirect(page_address(installation, "toggles"))
    return _render(request, installation, actor, baseline, form)


def _save(actor: Actor, installation: Installation, form: TogglesForm, *, publish: bool) -> str:
    """What the next page says once the toggles are stored."""
    override, expected_checksum = form.override(), form.cleaned_data["expected_checksum"] or None
    if not publish:
        save_override(actor=actor, installation=installation, override=override, expected_checksum=expected_checksum)
        return "The draft is saved. Apps see nothing of it until it is published."
    config = publish_toggles(
        actor=actor,
        installation=installation,
        override=override,
        change_summary=form.cleaned_data["change_summary"],
        expected_checksum=expected_checksum,
        expected_published_number=form.cleaned_data["expected_number"],
    )
    return f"Version {config.number} is live. Apps get the new config with their next request."


def _render(
    request: HttpRequest, installation: Installation, actor: Actor, baseline: Baseline, form: TogglesForm
) -> HttpResponse:
    may_edit = actor.can("config.edit", installation.tenant_id)
    if not may_edit:
        form.switch_off()
    context = {
        "head": head_of(request, installation, "toggles"),
        "form": form,
        "baseline": baseline,
        "may_edit": may_edit,
        "may_publish": may_edit and actor.can("config.publish", installation.tenant_id),
    }
    return render_page(
        request, "studio/pages/toggles.html", noun=Installation, title="Toggles", row=installation, **context
    )
