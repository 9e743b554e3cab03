"""One privacy finding: the evidence, and the ways to decide about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldBooleanWidget

from studio.addresses import address_of
from studio.pages.finding_words import detector_chip, finding_state_chip, share_words
from studio.pages.forms import PageForm
from studio.pages.shell import render_page, report_refusal
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from telemetry.core.enums import PropertyType, RedactionStrategy
from telemetry.core.errors import Conflict, NotAllowed, TelemetryError
from telemetry.detection.detector import SUGGESTIONS, Detector
from telemetry.models import EventRecord, FindingState, PrivacyFinding
from telemetry.selectors.events import event_in_drafts
from telemetry.selectors.privacy_findings import finding_by_id, places_of
from telemetry.services.finding_decisions import (
    LONGEST_REASON,
    accept_finding,
    dismiss_finding,
    reopen_finding,
    snooze_finding,
    strategy_for,
)
from tenants.actors import Actor, require

__all__ = ["privacy_finding"]

OFFERED: Final = (
    (RedactionStrategy.MASK, "mask: a stand-in of the same type"),
    (RedactionStrategy.DROP, "drop: not stored at all"),
    (RedactionStrategy.NULL, "null: that it was there, and nothing else"),
    (RedactionStrategy.HASH, "hash: a pseudonym, to count and to join by"),
    (RedactionStrategy.GENERALISE, "generalise: of an IP address, the network"),
    (RedactionStrategy.EMAIL_DOMAIN, "email_domain: of an e-mail address, what follows the @"),
)
SNOOZES: Final = {"1": "a day", "7": "a week", "30": "a month", "90": "three months"}


class AcceptForm(PageForm):
    """How the value is to be hidden."""

    places = {r"(properties|config)\b.*": "strategy"}

    strategy = forms.ChoiceField(
        label="Hide by", choices=[(value.value, words) for value, words in OFFERED], widget=UnfoldAdminSelectWidget()
    )
    raise_level = forms.BooleanField(label="Raise the event's level too", required=False, widget=UnfoldBooleanWidget())


class DismissForm(PageForm):
    """Why it is no personal data."""

    places = {"reason": "reason"}

    reason = forms.CharField(
        label="Why is this no personal data?",
        required=False,
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="It stays quiet until ten times as much was found, and at least a hundred more.",
    )


class SnoozeForm(PageForm):
    """Until when it stays quiet."""

    days = forms.ChoiceField(label="Ask again in", choices=list(SNOOZES.items()), widget=UnfoldAdminSelectWidget())


def privacy_finding(request: HttpRequest, finding_id: int) -> HttpResponse:
    """The finding; sent, the decision about it."""
    actor, finding = actor_of(request), finding_by_id(finding_id)
    require(actor, "view", finding.tenant_id)
    event = event_in_drafts(finding.event_name, finding.event_version)
    bound = _bound_forms(request, finding, event)
    if request.method == "POST":
        require(actor, "finding.decide", finding.tenant_id)
        answer = _carry_out(request, actor, finding, bound)
        if answer is not None:
            return answer
    detector = Detector(finding.detector)
    places = places_of(finding)
    found, checked = sum(each.found for each in places), sum(each.checked for each in places)
    context: dict[str, Any] = {
        **bound,
        "finding": finding,
        "detector": detector,
        "chip": detector_chip(detector),
        "state": finding_state_chip(finding.state, came_back=finding.reopened_at is not None),
        "place": finding.path.removeprefix("properties."),
        "event": event,
        "event_address": "" if event is None else f"{address_of(event)}#properties",
        "found": found,
        "share": share_words(found / checked if checked else 0.0),
        "checked": checked,
        "versions": sorted({version for each in places for version in each.app_versions}, reverse=True)[:12],
        "places": [(each, installation_words(each.installation), share_words(each.share)) for each in places],
        "level": SUGGESTIONS[detector].level,
        "may_decide": actor.can("finding.decide", finding.tenant_id),
        "may_accept": actor.can("finding.decide", finding.tenant_id) and actor.can("spec.edit"),
        "is_nameless": not finding.property_name,
        "is_open": finding.state == FindingState.OPEN,
    }
    title = f"{detector.words[:1].upper()}{detector.words[1:]} in {finding.event_name}"
    return render_page(request, "studio/pages/privacy_finding.html", noun=PrivacyFinding, title=title, **context)


def _bound_forms(request: HttpRequest, finding: PrivacyFinding, event: EventRecord | None) -> dict[str, PageForm]:
    """The forms; the one whose button was pressed has what was sent."""
    pressed = request.POST.get("verdict") if request.method == "POST" else None
    declared = None if event is None else event.properties.filter(name=finding.property_name).first()
    suggested = strategy_for(
        Detector(finding.detector),
        PropertyType(finding.value_type if declared is None else declared.type),
        is_required=declared is not None and declared.required,
    )
    return {
        "accept_form": AcceptForm(request.POST if pressed == "accept" else None, initial={"strategy": suggested.value}),
        "dismiss_form": DismissForm(request.POST if pressed == "dismiss" else None),
        "snooze_form": SnoozeForm(request.POST if pressed == "snooze" else None, initial={"days": "7"}),
    }


def _carry_out(
    request: HttpRequest, actor: Actor, finding: PrivacyFinding, bound: dict[str, PageForm]
) -> HttpResponse | None:
    """Back to where the outcome shows; ``None`` when a form says why not."""
    deeds: dict[str, tuple[PageForm | None, Callable[[], str]]] = {
        "accept": (bound["accept_form"], lambda: _accept(request, actor, finding, bound["accept_form"])),
        "dismiss": (bound["dismiss_form"], lambda: _dismiss(request, actor, finding, bound["dismiss_form"])),
        "snooze": (bound["snooze_form"], lambda: _snooze(request, actor, finding, bound["snooze_form"])),
        "reopen": (None, lambda: _reopen(request, actor, finding)),
    }
    form, deed = deeds.get(
        request.POST.get("verdict", ""), (None, lambda: reverse("privacy_finding", args=[finding.pk]))
    )
    if form is not None and not form.is_valid():
        return None
    try:
        return HttpResponseRedirect(deed())
    except NotAllowed:
        raise
    except Conflict as error:
        report_refusal(request, error)
        return HttpResponseRedirect(reverse("privacy_finding", args=[finding.pk]))
    except TelemetryError as error:
        if form is None:
            raise
        form.refuse(error)
        return None


def _accept(request: HttpRequest, actor: Actor, finding: PrivacyFinding, form: PageForm) -> str:
    event = accept_finding(
        actor=actor,
        finding=finding,
        strategy=RedactionStrategy(form.cleaned_data["strategy"]),
        raise_level=form.cleaned_data["raise_level"],
    )
    messages.success(
        request,
        f"The draft of {event.spec.name} hides {finding.property_name}. It takes effect when the draft is published.",
    )
    is_context = finding.path.startswith("context.")
    return address_of(event.spec) if is_context else f"{address_of(event)}#properties"


def _dismiss(request: HttpRequest, actor: Actor, finding: PrivacyFinding, form: PageForm) -> str:
    dismiss_finding(actor=actor, finding=finding, reason=form.cleaned_data["reason"])
    messages.success(request, "Dismissed: it stays quiet unless clearly more is found.")
    return reverse("privacy_inbox")


def _snooze(request: HttpRequest, actor: Actor, finding: PrivacyFinding, form: PageForm) -> str:
    days = int(form.cleaned_data["days"])
    snooze_finding(actor=actor, finding=finding, until=timezone.now() + timedelta(days=days))
    messages.success(request, f"It stays quiet for {SNOOZES[str(days)]}.")
    return reverse("privacy_inbox")


def _reopen(request: HttpRequest, actor: Actor, finding: PrivacyFinding) -> str:
    reopen_finding(actor=actor, finding=finding)
    messages.success(request, "It waits for a decision again.")
    return reverse("privacy_finding", args=[finding.pk])
