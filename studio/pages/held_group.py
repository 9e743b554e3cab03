"""Held events that were refused for one reason: mend them, try, take them in, or let them go."""

import json
from functools import partial
from typing import Any, Final, NamedTuple

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from studio import markup
from studio.addresses import address_of
from studio.arrivals import events_arrived
from studio.live_lines import OUTCOME_TONES, OUTCOME_WORDS
from studio.pages.forms import PageForm, errors_of, place_of, sentence, statement
from studio.pages.shell import confirm, render_page, report_refusal
from studio.pages.violation_words import installation_words, reason_parts
from studio.people import actor_of
from telemetry.core.codec import convert_document
from telemetry.core.enums import EventOutcome, PropertyType
from telemetry.core.errors import Conflict, NotAllowed, TelemetryError
from telemetry.core.mending import Mending
from telemetry.models import HeldEvent
from telemetry.selectors.quarantine import HeldGroup, group_by_id, held_events
from telemetry.services.quarantine.replaying import MOST_AT_ONCE, Rehearsal, Replay, discard, rehearse, replay
from tenants.actors import require

__all__ = ["discard_group", "held_group"]

# Rows of the form; more steps are taken in one go over HTTP.
STEPS: Final = 4
DEEDS: Final = (
    ("", "nothing"),
    ("rename", "call it"),
    ("drop", "leave it out"),
    *((f"cast_{kind}", f"read it as {kind}") for kind in PropertyType if kind is not PropertyType.JSON),
)


class MendingForm(PageForm):
    """What should have been sent."""

    places = {"event": "event", "version": "version"}

    event = forms.CharField(label="The event is", required=False, max_length=200, widget=UnfoldAdminTextInputWidget())
    version = forms.IntegerField(
        label="in version", required=False, min_value=1, max_value=2_147_483_647, widget=UnfoldAdminTextInputWidget()
    )
    drop_undeclared = forms.BooleanField(
        label="Leave out everything that is not declared", required=False, widget=UnfoldBooleanWidget()
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows: dict[str, str] = {}
        for number in range(STEPS):
            self.fields[f"property_{number}"] = _text_field("Property")
            self.fields[f"deed_{number}"] = forms.ChoiceField(
                label="What to do", required=False, choices=DEEDS, widget=UnfoldAdminSelectWidget()
            )
            self.fields[f"to_{number}"] = _text_field("New name")

    @property
    def step_rows(self) -> list[tuple[Any, Any, Any]]:
        """The fields of each step."""
        return [(self[f"property_{n}"], self[f"deed_{n}"], self[f"to_{n}"]) for n in range(STEPS)]

    def mending(self) -> Mending:
        """What the form holds; raises ``InvalidDocument``, whose paths count the rows of the form."""
        data = self.cleaned_data
        rows = [number for number in range(STEPS) if data[f"deed_{number}"]]
        steps = [*map(self._step, rows), *([{"step": "drop_undeclared"}] if data["drop_undeclared"] else [])]
        self.rows = {rf"steps\[{index}\]": f"property_{number}" for index, number in enumerate(rows)}
        document = {"event": data["event"] or None, "version": data["version"], "steps": steps}
        return convert_document({key: value for key, value in document.items() if value}, Mending, what="mending")

    def refuse(self, error: TelemetryError) -> None:
        """What is wrong with a step stands in its row."""
        for each in errors_of(error):
            name = place_of(each.path, {**self.places, **self.rows})
            self.add_error(name, sentence(each.message) if name else statement(each))

    def _step(self, number: int) -> dict[str, Any]:
        deed, _, kind = self.cleaned_data[f"deed_{number}"].partition("_")
        step = {
            "step": deed,
            "property": self.cleaned_data[f"property_{number}"],
            "to": self.cleaned_data[f"to_{number}"] if deed == "rename" else "",
            "type": kind,
        }
        return {key: value for key, value in step.items() if value}


def _text_field(label: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=128, widget=UnfoldAdminTextInputWidget())


class ShownOutcome(NamedTuple):
    """How many of the events would have this outcome."""

    word: str
    tone: str
    events: int


class ShownRehearsal(NamedTuple):
    """What a rehearsal told, for people."""

    outcomes: list[ShownOutcome]
    refusals: list[tuple[list[tuple[str, str]], int]]
    unreadable: int
    preview: str
    event: str
    taken: int


def held_group(request: HttpRequest, row_id: int) -> HttpResponse:
    """The group; sent, what would become of its events, or what became of them."""
    actor, group = actor_of(request), group_by_id(row_id)
    require(actor, "view", group.installation.tenant_id)
    form = MendingForm(request.POST if request.method == "POST" else None)
    shown = None
    if request.method == "POST":
        require(actor, "quarantine.handle", group.installation.tenant_id)
        if form.is_valid():
            try:
                mending = form.mending()
                if request.POST.get("verdict") == "replay":
                    done = replay(actor=actor, group=group, mending=mending)
                    transaction.on_commit(partial(events_arrived, "quarantine", done.outcomes, done.provider_ids))
                    return _answer(request, group, done)
                shown = _shown(rehearse(actor=actor, group=group, mending=mending))
            except NotAllowed:
                raise
            except Conflict as error:
                report_refusal(request, error)
                return HttpResponseRedirect(reverse("held_group", args=[row_id]))
            except TelemetryError as error:
                form.refuse(error)
    events = held_events(group)
    first, last = events.first(), events.last()
    context: dict[str, Any] = {
        "form": form,
        "rehearsal": shown,
        "group": group,
        "parts": reason_parts(group.reason),
        "where": installation_words(group.installation),
        "where_address": address_of(group.installation),
        "count": events.count(),
        "first": first,
        "last": last,
        "most": MOST_AT_ONCE,
        "may_handle": actor.can("quarantine.handle", group.installation.tenant_id),
    }
    title = group.event_name or "Events whose name is not shown"
    return render_page(request, "studio/pages/held_group.html", noun=HeldEvent, title=title, **context)


def discard_group(request: HttpRequest, row_id: int) -> HttpResponse:
    """The page that asks before held events go."""
    actor, group = actor_of(request), group_by_id(row_id)
    require(actor, "quarantine.handle", group.installation.tenant_id)
    count = held_events(group).count()

    def deed() -> str:
        return f"{markup.counted(discard(actor=actor, group=group), 'held event')} discarded."

    name = group.event_name or "events whose name is not shown"
    return confirm(
        request,
        noun=HeldEvent,
        row=None,
        title="Discard held events",
        text=f"{markup.counted(count, 'event')} of {name} at {group.installation}, refused for: {group.reason}. They "
        "are gone for good. That they were received and refused stays counted.",
        button=f"Discard {markup.counted(count, 'event')}",
        back=reverse("quarantine"),
        deed=deed,
    )


def _answer(request: HttpRequest, group: HeldGroup, done: Replay) -> HttpResponse:
    told = ", ".join(f"{count} {OUTCOME_WORDS[word]}" for word, count in sorted(done.outcomes.items()))
    if told:
        messages.success(request, f"Taken in: {told}.")
    if done.still_held:
        messages.warning(
            request, f"{markup.counted(done.still_held, 'event')} would be refused again and stay held; see why below."
        )
    if not told and not done.still_held:
        messages.info(request, "Nothing was left to take in.")
    if done.left:
        first = held_events(group).first()
        return HttpResponseRedirect(reverse("held_group", args=[group.row_id if first is None else first.pk]))
    return HttpResponseRedirect(reverse("quarantine"))


def _shown(rehearsal: Rehearsal) -> ShownRehearsal:
    preview = rehearsal.preview
    shown = "" if preview is None else {"properties": preview.properties, "context": preview.context}
    return ShownRehearsal(
        outcomes=[
            ShownOutcome(OUTCOME_WORDS[word], OUTCOME_TONES[word], rehearsal.outcomes[word])
            for word in EventOutcome
            if word in rehearsal.outcomes
        ],
        refusals=[(reason_parts(reason), count) for reason, count in rehearsal.refusals.most_common(10)],
        unreadable=rehearsal.unreadable,
        preview=json.dumps(shown, indent=2, ensure_ascii=False) if shown else "",
        event="" if preview is None else f"{preview.name}@{preview.version}",
        taken=sum(count for word, count in rehearsal.outcomes.items() if word is not EventOutcome.REJECTED),
    )
