"""One proposal: the change, why, the evidence, and the ways to decide about it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from studio.addresses import address_of
from studio.metric_chart import ChartPoint, timeline
from studio.pages.changes import event_addresses, groups_of, tally
from studio.pages.forms import PageForm
from studio.pages.proposal_words import (
    confidence_chip,
    fact_words,
    outcome_chip,
    promise_words,
    proposal_chip,
    value_words,
)
from studio.pages.shell import render_page, report_refusal
from studio.pages.violation_words import installation_words
from studio.pages.what_if import what_if_words
from studio.people import actor_of
from telemetry.core.diff import SpecDiff
from telemetry.core.errors import Conflict, NotAllowed, TelemetryError
from telemetry.core.proposals import PROPOSAL_RULES, Promise
from telemetry.models import Proposal, ProposalEvidence, ProposalStatus, SpecRecord
from telemetry.selectors.proposal_evidence import series_of
from telemetry.selectors.proposals import evidence_of, proposal_by_id
from telemetry.selectors.reviews import live_review
from telemetry.services.proposals.deciding import (
    accept_proposal,
    reject_proposal,
    reopen_proposal,
    snooze_proposal,
    take_back_proposal,
)
from telemetry.services.proposals.reading import edited_patch, publication_obstacle, view_proposal, what_if_proposal
from tenants.actors import Actor, require

__all__ = ["proposal_page"]

SNOOZES: Final = {"1": "a day", "7": "a week", "30": "a month", "90": "three months"}
# Each takes a query and a picture; further evidence stands in the table.
MOST_CHARTS: Final = 3


class AcceptForm(PageForm):
    """What the person adds for reviewers."""

    comment = forms.CharField(
        label="Anything for the reviewers?",
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )


class EditForm(PageForm):
    """What the proposal changes, as the person would have it."""

    places = {r".*": "document"}

    document = forms.CharField(
        label="The event as it should be", widget=UnfoldAdminTextareaWidget(attrs={"rows": 18, "class": "code"})
    )


class RejectForm(PageForm):
    """Why not."""

    places = {"reason": "reason"}

    reason = forms.CharField(
        label="Why not?",
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="It stays quiet until its evidence is twice as strong.",
    )


class TakeBackForm(PageForm):
    """Why it is undone."""

    places = {"reason": "reason"}

    reason = forms.CharField(
        label="Why take it back?", required=False, max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


class SnoozeForm(PageForm):
    """Until when nobody is asked."""

    days = forms.ChoiceField(label="Ask again in", choices=list(SNOOZES.items()), widget=UnfoldAdminSelectWidget())


def proposal_page(request: HttpRequest, proposal_id: int) -> HttpResponse:
    """The proposal; sent, the decision about it."""
    actor, proposal = actor_of(request), proposal_by_id(proposal_id)
    require(actor, "view", proposal.tenant_id)
    view = view_proposal(proposal)
    bound = _bound_forms(request, view.document)
    if request.method == "POST":
        require(actor, "proposal.decide", proposal.tenant_id)
        answer = _carry_out(request, actor, proposal, bound)
        if answer is not None:
            return answer
    evidence, record = evidence_of(proposal), _record(proposal)
    promise = msgspec.convert(proposal.promise, Promise)
    context: dict[str, Any] = {
        **bound,
        "proposal": proposal,
        "rule": PROPOSAL_RULES.get(proposal.rule),
        "state": proposal_chip(proposal),
        "confidence": confidence_chip(proposal.confidence),
        "outcome": outcome_chip(proposal.outcome),
        "target": _target(proposal, record),
        "promise": promise_words(promise),
        "before_value": value_words(promise.measure, promise.before),
        "measured": "" if proposal.measured_value is None else value_words(promise.measure, proposal.measured_value),
        "evidence": [_shown(each) for each in evidence],
        "charts": [shown for each in evidence[:MOST_CHARTS] if (shown := _chart(proposal, each))[1]],
        "problem": view.problem,
        "tally": tally(view.diff),
        "groups": _groups(record, view.diff),
        "before_words": view.before_words,
        "after_words": "Proposed",
        **_rights(actor, proposal, publication_obstacle(actor, proposal, view, record)),
    }
    # Replaying days of events takes seconds where many came: only who asks waits for it.
    if "what_if" in request.GET and not view.problem:
        context |= what_if_words(what_if_proposal(actor=actor, proposal=proposal))
    return render_page(request, "studio/pages/proposal.html", noun=Proposal, title=proposal.title, **context)


def _rights(actor: Actor, proposal: Proposal, obstacle: str) -> dict[str, Any]:
    edits = (
        actor.can("config.edit", proposal.tenant_id) if proposal.is_of_tenant else actor.can("spec.edit")
    ) and actor.can("proposal.decide", proposal.tenant_id)
    return {
        "may_decide": actor.can("proposal.decide", proposal.tenant_id),
        "may_accept": edits,
        "obstacle": obstacle,
        "is_undecided": proposal.status in (ProposalStatus.PENDING, ProposalStatus.SNOOZED),
        "may_take_back": edits and proposal.status == ProposalStatus.APPLIED and proposal.taken_back_at is None,
        "may_reopen": actor.can("proposal.decide", proposal.tenant_id)
        and proposal.status in (ProposalStatus.REJECTED, ProposalStatus.SNOOZED),
    }


def _record(proposal: Proposal) -> SpecRecord | None:
    return SpecRecord.objects.filter(name=proposal.spec_name).order_by().first()


def _target(proposal: Proposal, record: SpecRecord | None) -> dict[str, str]:
    if proposal.installation is not None:
        return {"words": installation_words(proposal.installation), "address": address_of(proposal.installation)}
    return {"words": proposal.spec_name, "address": "" if record is None else address_of(record)}


def _shown(evidence: ProposalEvidence) -> dict[str, Any]:
    where = "all tenants" if evidence.installation is None else installation_words(evidence.installation)
    number = evidence.source.removeprefix("incident:")
    incident = reverse("incident", args=[int(number)]) if number.isdecimal() and number != evidence.source else ""
    return {
        "row": evidence,
        "where": where,
        "words": fact_words(evidence.kind, evidence.facts),
        "incident_address": incident,
    }


def _chart(proposal: Proposal, evidence: ProposalEvidence) -> tuple[str, SafeString]:
    """What the chart shows, and the chart; empty where there is too little to draw."""
    series = series_of(proposal, evidence, now=timezone.now())
    where = "all tenants" if evidence.installation is None else str(evidence.installation)
    words = f"{series.words}: {where}"
    return words, timeline([ChartPoint(*point) for point in series.points], title=words)


def _groups(record: SpecRecord | None, diff: SpecDiff) -> list[Any]:
    references = {change.event for change in diff.changes if change.event is not None}
    addresses = {} if record is None else event_addresses(record, references)
    return groups_of(diff.changes, addresses)


def _bound_forms(request: HttpRequest, document: str) -> dict[str, PageForm]:
    """The forms; the one whose button was pressed has what was sent."""
    pressed = request.POST.get("verdict") if request.method == "POST" else None
    sent = request.POST
    return {
        "accept_form": AcceptForm(sent if pressed in ("accept", "publish") else None),
        "edit_form": EditForm(sent if pressed == "edit" else None, initial={"document": document}),
        "reject_form": RejectForm(sent if pressed == "reject" else None),
        "snooze_form": SnoozeForm(sent if pressed == "snooze" else None, initial={"days": "7"}),
        "take_back_form": TakeBackForm(sent if pressed in ("take_back", "publish_back") else None),
    }


def _carry_out(
    request: HttpRequest, actor: Actor, proposal: Proposal, bound: dict[str, PageForm]
) -> HttpResponse | None:
    """Back to where the outcome shows; ``None`` when a form says why not."""
    verdict, here = request.POST.get("verdict", ""), reverse("proposal", args=[proposal.pk])
    deeds: dict[str, tuple[PageForm | None, Callable[[PageForm], str]]] = {
        "accept": (bound["accept_form"], lambda form: _accept(actor, proposal, form, publish=False)),
        "publish": (bound["accept_form"], lambda form: _accept(actor, proposal, form, publish=True)),
        "edit": (bound["edit_form"], lambda form: _edit(actor, proposal, form)),
        "reject": (bound["reject_form"], lambda form: _reject(actor, proposal, form)),
        "snooze": (bound["snooze_form"], lambda form: _snooze(actor, proposal, form)),
        "take_back": (bound["take_back_form"], lambda form: _take_back(actor, proposal, form, publish=False)),
        "publish_back": (bound["take_back_form"], lambda form: _take_back(actor, proposal, form, publish=True)),
        "reopen": (None, lambda _: _reopen(actor, proposal)),
    }
    if verdict not in deeds:
        return HttpResponseRedirect(here)
    form, deed = deeds[verdict]
    if form is not None and not form.is_valid():
        return None
    try:
        messages.success(request, deed(form or PageForm()))
    except NotAllowed:
        raise
    except Conflict as error:
        report_refusal(request, error)
    except TelemetryError as error:
        if form is None:
            raise
        form.refuse(error)
        return None
    record = _record(proposal)
    review = None if record is None or proposal.is_of_tenant else live_review(record)
    if verdict in ("accept", "edit", "take_back") and review is not None:
        return HttpResponseRedirect(address_of(review))
    return HttpResponseRedirect(reverse("proposals") if verdict in ("reject", "snooze") else here)


def _accept(actor: Actor, proposal: Proposal, form: PageForm, *, publish: bool) -> str:
    comment = form.cleaned_data["comment"]
    accept_proposal(actor=actor, proposal_id=proposal.pk, publish=publish, comment=comment)
    if publish:
        return "Accepted and published. From now on it is measured whether the promise holds."
    if proposal.is_of_tenant:
        return "Accepted: the installation's draft has the change. It takes effect when the draft is published."
    return "Accepted: the draft has the change and is open for review."


def _edit(actor: Actor, proposal: Proposal, form: PageForm) -> str:
    patch = edited_patch(proposal, form.cleaned_data["document"])
    accept_proposal(actor=actor, proposal_id=proposal.pk, patch=patch)
    return "Accepted as you edited it: the draft has the change."


def _reject(actor: Actor, proposal: Proposal, form: PageForm) -> str:
    reject_proposal(actor=actor, proposal_id=proposal.pk, reason=form.cleaned_data["reason"])
    return "Rejected: it stays quiet until its evidence is twice as strong."


def _snooze(actor: Actor, proposal: Proposal, form: PageForm) -> str:
    days = int(form.cleaned_data["days"])
    snooze_proposal(actor=actor, proposal_id=proposal.pk, until=timezone.now() + timedelta(days=days))
    return f"Nobody is asked for {SNOOZES[str(days)]}. Evidence is gathered meanwhile."


def _take_back(actor: Actor, proposal: Proposal, form: PageForm, *, publish: bool) -> str:
    take_back_proposal(actor=actor, proposal_id=proposal.pk, reason=form.cleaned_data["reason"], publish=publish)
    return "Taken back, and live." if publish else "The draft takes it back, and waits to be published."


def _reopen(actor: Actor, proposal: Proposal) -> str:
    reopen_proposal(actor=actor, proposal_id=proposal.pk)
    return "It waits for a decision again."
