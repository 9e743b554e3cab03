"""The page that begins a new spec as a copy."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from studio.addresses import address_of
from studio.admin.fields import TextField
from studio.pages.forms import PageForm
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.errors import DuplicateSpec, NotAllowed, TelemetryError
from telemetry.models import SpecRecord
from telemetry.services.cloning import clone_spec, events_that_stay
from tenants.actors import require

__all__ = ["clone"]

# More names than this say no more.
SHOWN = 5


class CloneForm(PageForm):
    """What the copy is called."""

    places = {"meta.name": "name", "meta.title": "title"}

    name = TextField(label="Name of the copy", required=True, help_text="Such as <code>sigil.checkout</code>.")
    title = TextField(label="Title", required=True)


def clone(request: HttpRequest, spec_id: int) -> HttpResponse:
    """A new draft that says what this draft says."""
    actor, record = actor_of(request), get_object_or_404(SpecRecord, pk=spec_id)
    require(actor, "spec.edit")
    form = CloneForm(request.POST or None, initial={"title": record.title})
    if request.method == "POST" and form.is_valid():
        try:
            copy = clone_spec(
                actor=actor, name=record.name, new_name=form.cleaned_data["name"], title=form.cleaned_data["title"]
            )
        except NotAllowed:
            raise
        except DuplicateSpec as error:
            form.add_error("name", error.message)
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"The draft {copy.name} says what {record.name} says. Nothing is published.")
            return HttpResponseRedirect(address_of(copy))
    context: dict[str, Any] = {"form": form, "lead": _lead(record), "button": "Clone", "back": address_of(record)}
    return render_page(request, "studio/pages/form.html", noun=SpecRecord, title="Clone", row=record, **context)


def _lead(record: SpecRecord) -> str:
    lead = (
        f"A new spec begins as a copy of the draft of {record.name}. Events that are called {record.name}.something "
        "get the new name in front."
    )
    stay = events_that_stay(record)
    if not stay:
        return lead
    shown = ", ".join(stay[:SHOWN]) + (f" and {len(stay) - SHOWN} more" if len(stay) > SHOWN else "")
    return f"{lead} These keep their names, so only one of both specs can publish them: {shown}."
