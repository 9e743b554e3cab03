"""The page of one event's toggles: everything that the override can say of it."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import urlencode

from studio.addresses import page_address
from studio.pages.forms import posted
from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import render_page
from studio.pages.toggle_event_form import ToggleEventForm
from studio.pages.toggles_form import state_of
from studio.people import actor_of
from telemetry.core.errors import Conflict, NotAllowed, StaleRevision, TelemetryError
from telemetry.core.layers import event_reference
from telemetry.core.override_editing import with_own
from telemetry.services.overrides import save_override
from telemetry.services.toggles import EventFilter, ToggleEvent, ToggleGrid, Toggles, toggles_of
from tenants.models import Installation

__all__ = ["toggle_event"]


def toggle_event(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The form of one version of an event; sent, it is saved in the draft."""
    installation, actor = installation_or_404(public_id), actor_of(request)
    toggles, page, row = _found(installation, request.GET.get("event", ""))
    reference = event_reference(row.event.name, row.event.version)
    form = ToggleEventForm(posted(request), edited=toggles.edited, row=row, page=page)
    back = page_address(installation, "toggles")
    if request.method == "POST" and form.is_valid():
        key = (row.event.name, row.event.version)
        try:
            own = {**toggles.own_of([key], lambda said: said), key: form.own()}
            save_override(
                actor=actor,
                installation=installation,
                override=with_own(toggles.edited.override, own),
                expected_checksum=form.cleaned_data["expected_checksum"] or None,
                deed=f"Edited {reference}",
            )
        except NotAllowed:
            raise
        except StaleRevision:
            form.take_new_state({"expected_checksum": state_of(toggles.edited)["expected_checksum"]})
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, "The draft is saved. Apps see nothing of it until it is published.")
            return HttpResponseRedirect(f"{back}?{urlencode({'q': row.event.name})}")
    may_edit = actor.can("config.edit", installation.tenant_id)
    if not may_edit:
        form.switch_off()
    return render_page(
        request,
        "studio/pages/toggle_event.html",
        noun=Installation,
        title=row.event.name,
        row=installation,
        head=head_of(request, installation, "toggles"),
        form=form,
        shown=row,
        reference=reference,
        back=back,
        may_edit=may_edit,
        explain=f"{page_address(installation, 'explain')}?{urlencode({'event': reference})}",
    )


def _found(installation: Installation, reference: str) -> tuple[Toggles, ToggleGrid, ToggleEvent]:
    """The event that the address names; 404 if the bound spec does not have it."""
    try:
        toggles = toggles_of(installation)
    except Conflict:
        raise Http404 from None
    name = reference.rpartition("@")[0]
    page = toggles.page(EventFilter(search=name[:200]))
    for row in page.events:
        if event_reference(row.event.name, row.event.version) == reference:
            return toggles, page, row
    raise Http404
