"""Legal holds: what must stay, placing one, and lifting one."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from studio.pages.forms import PageForm, instant_field, posted
from studio.pages.queries import page_number, without
from studio.pages.scope import installations_where, tenants_where
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from telemetry.core.errors import Conflict, InvalidDocument
from telemetry.models import LegalHold
from telemetry.selectors.retention import hold_by_id, holds
from telemetry.services.holds import LONGEST_REASON, lift_hold, place_hold
from telemetry.services.subjects import LONGEST_SUBJECT
from tenants.actors import require, require_somewhere
from tenants.models import Installation, Tenant

__all__ = ["legal_holds_page", "lift_hold_page", "place_hold_page"]

PAGE_SIZE: Final = 50


class PlaceForm(PageForm):
    """What is to be held."""

    places = {
        "reason": "reason",
        "subject": "subject",
        "installation": "installation",
        "startsAt": "starts_at",
        "endsAt": "ends_at",
    }

    tenant = forms.ModelChoiceField(queryset=Tenant.objects.none(), widget=UnfoldAdminSelectWidget())
    installation = forms.ModelChoiceField(
        queryset=Installation.objects.none(),
        required=False,
        empty_label="All of the tenant's",
        widget=UnfoldAdminSelectWidget(),
    )
    event = forms.CharField(
        label="Event",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="The name of one event; empty means all.",
    )
    subject = forms.CharField(
        label="Person",
        required=False,
        max_length=LONGEST_SUBJECT,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="An id exactly as apps send it. Only its pseudonyms are kept; the id itself is not.",
    )
    starts_at = instant_field("From", help_text="UTC. When events happened or came; empty means no bound.")
    ends_at = instant_field("Until")
    reason = forms.CharField(
        label="Case",
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="The number of the case, or what it is about. Name no person.",
    )

    def __init__(self, *args: Any, tenants: QuerySet[Tenant], installations: QuerySet[Installation]) -> None:
        super().__init__(*args)
        for name, rows in (("tenant", tenants), ("installation", installations)):
            field = self.fields[name]
            if isinstance(field, forms.ModelChoiceField):
                field.queryset = rows


class LiftForm(PageForm):
    """Why it is not needed any more."""

    places = {"because": "because"}

    because = forms.CharField(
        label="Why is it over?", max_length=LONGEST_REASON, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


def legal_holds_page(request: HttpRequest) -> HttpResponse:
    """The holds in the tenants in which the person may manage them, the newest first."""
    actor = actor_of(request)
    require_somewhere(actor, "hold.manage")
    rows = holds().filter(tenant__in=tenants_where(actor, "hold.manage"))
    page = Paginator(rows, PAGE_SIZE).get_page(page_number(request.GET.get("page")))
    context: dict[str, Any] = {
        "page": page,
        "holds": [(hold, hold.installation and installation_words(hold.installation)) for hold in page.object_list],
        "query": without(request.GET, "page").urlencode(),
    }
    return render_page(
        request, "studio/pages/legal_holds.html", noun=LegalHold, title="Legal holds", page_title="", **context
    )


def place_hold_page(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the list with the new hold."""
    actor = actor_of(request)
    require_somewhere(actor, "hold.manage")
    form = PlaceForm(
        posted(request),
        tenants=tenants_where(actor, "hold.manage"),
        installations=installations_where(actor, "hold.manage"),
    )
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            place_hold(
                actor=actor,
                tenant=data["tenant"],
                reason=data["reason"],
                installation=data["installation"],
                event_name=data["event"],
                subject=data["subject"],
                starts_at=data["starts_at"],
                ends_at=data["ends_at"],
            )
        except InvalidDocument as error:
            form.refuse(error)
        else:
            messages.success(request, "The hold is placed: nothing that it describes is purged or erased.")
            return HttpResponseRedirect(reverse("legal_holds"))
    context: dict[str, Any] = {
        "form": form,
        "button": "Place the hold",
        "back": reverse("legal_holds"),
        "lead": "What the hold describes stays, whatever its days or a person's wish say, until the hold is lifted. "
        "Everything that you fill in narrows it.",
    }
    return render_page(request, "studio/pages/form.html", noun=LegalHold, title="Place a legal hold", **context)


def lift_hold_page(request: HttpRequest, hold_id: int) -> HttpResponse:
    """The form that asks why, or once it is sent the list."""
    actor, hold = actor_of(request), hold_by_id(hold_id)
    require(actor, "hold.manage", hold.tenant_id)
    form = LiftForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            lift_hold(actor=actor, hold=hold, because=form.cleaned_data["because"])
        except (InvalidDocument, Conflict) as error:
            form.refuse(error)
        else:
            messages.success(request, "The hold is lifted: what is past its days goes with the next run.")
            return HttpResponseRedirect(reverse("legal_holds"))
    context: dict[str, Any] = {
        "form": form,
        "button": "Lift the hold",
        "back": reverse("legal_holds"),
        "lead": f"{hold.tenant.name}: {hold.reason}. What this hold alone kept, and whose days are over, is deleted "
        "for good by the next run.",
    }
    return render_page(request, "studio/pages/form.html", noun=LegalHold, title="Lift the hold", **context)
