"""One violation: what it is, what an event with it looks like, and what can be done about it."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from studio import markup
from studio.addresses import address_of, list_address
from studio.pages.forms import PageForm, posted
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words, kind_of, place_of, state_chip
from studio.pages.violations import DAYS
from studio.people import actor_of
from telemetry.core.enums import ViolationCode
from telemetry.core.errors import NotAllowed, TelemetryError
from telemetry.models import EventRecord, ViolationRecord, ViolationState
from telemetry.selectors.events import event_in_drafts
from telemetry.selectors.violations import counts_by_day, siblings_of, violation_by_id
from telemetry.services.violation_states import LONGEST_NOTE, decide_violation
from tenants.actors import require

__all__ = ["violation_page"]

ADVICE: Final = {
    ViolationCode.UNKNOWN_EVENT: "No published spec that holds here has an event of this name. Either the app sends "
    "what nobody planned, or the plan lacks it.",
    ViolationCode.MISSING_REQUIRED: "The spec requires the property; events without it are refused. Send it, or say "
    "that it may be left out.",
    ViolationCode.WRONG_TYPE: "The value is of another type than the spec says, and the event was refused. Send what "
    "is planned, or plan what is sent.",
    ViolationCode.NOT_ALLOWED_VALUE: "The value is none that the spec allows, and the event was refused. Send one of "
    "them, or allow it.",
    ViolationCode.UNDECLARED_PROPERTY: "The app sends a property that nobody has declared: nobody has judged whether "
    "it is personal. Declare it, or stop sending it.",
    ViolationCode.UNDECLARED_CONTEXT: "The app sends a context key that the spec does not declare. Add it to the "
    "spec's context properties, or stop sending it.",
    ViolationCode.UNSAFE_VALUE: "The value cannot be stored or passed on safely: too long, too deep, or of characters "
    "that databases refuse. Mend it in the app.",
    ViolationCode.MALFORMED: "What was sent could not be read as an event at all. Mend it in the app.",
    ViolationCode.OUTSIDE_WINDOW: "The event's id was made too long ago, or in the future, to tell whether it came "
    "before. Look at the app's queue and at the clocks of its devices.",
    ViolationCode.DETECTED_PERSONAL_DATA: "The value read like personal data, and the spec asks for such values to be "
    "masked. Mark the property as personal, or stop sending it.",
}
CHANGEABLE: Final = (
    *(ViolationCode.MISSING_REQUIRED, ViolationCode.WRONG_TYPE, ViolationCode.NOT_ALLOWED_VALUE),
    ViolationCode.DETECTED_PERSONAL_DATA,
)


class Step(NamedTuple):
    """Something that can be done, and where."""

    title: str
    address: str
    icon: str


class ShownName(NamedTuple):
    """One name of the outline: what kind of value it had."""

    name: str
    type: str
    size: str
    is_declared: bool
    is_meant: bool


class DecisionForm(PageForm):
    """What becomes of the violation."""

    places = {"resolvedIn": "resolved_in", "note": "note"}

    state = forms.ChoiceField(choices=ViolationState.choices, widget=UnfoldAdminSelectWidget())
    resolved_in = forms.CharField(
        label="Mended in version",
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For resolved: the version of the app from which on it must not come any more. While older ones "
        "send it, it stays resolved. Empty: it comes back as soon as it is seen again.",
    )
    note = forms.CharField(required=False, max_length=LONGEST_NOTE, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
    all_versions = forms.BooleanField(
        label="For all versions of the app", required=False, initial=True, widget=UnfoldBooleanWidget()
    )


def violation_page(request: HttpRequest, violation_id: int) -> HttpResponse:
    """The violation; sent, the decision about it."""
    actor, violation = actor_of(request), violation_by_id(violation_id)
    require(actor, "view", violation.tenant_id)
    form = DecisionForm(posted(request), initial=_initial(violation))
    if request.method == "POST":
        require(actor, "violation.decide", violation.tenant_id)
        if form.is_valid() and _decide(request, violation, form):
            return HttpResponseRedirect(reverse("violation", args=[violation.pk]))
    by_day = counts_by_day([violation.pk], until=timezone.now().date(), days=DAYS)[violation.pk]
    siblings = siblings_of(violation)
    context: dict[str, Any] = {
        "violation": violation,
        "form": form,
        "kind": kind_of(violation.code),
        "place": place_of(violation),
        "where": installation_words(violation.installation),
        "where_address": address_of(violation.installation),
        "state": state_chip(violation),
        "advice": ADVICE[ViolationCode(violation.code)] if violation.code else "",
        "steps": list(_steps(request, violation)),
        "by_day": markup.sparkline(by_day, f"{sum(by_day)} in the last {DAYS} days"),
        "in_days": sum(by_day),
        "days": DAYS,
        "siblings": [(each, state_chip(each)) for each in siblings] if len(siblings) > 1 else [],
        "outline": list(_outline(violation)),
        "unnamed": sum(part.get("unnamed", 0) for part in violation.sample.values()),
        "may_decide": actor.can("violation.decide", violation.tenant_id),
    }
    return render_page(request, "studio/pages/violation.html", noun=ViolationRecord, title=_title(violation), **context)


def _title(violation: ViolationRecord) -> str:
    return " · ".join(word for word in (violation.event_name, place_of(violation)) if word) or kind_of(violation.code)


def _initial(violation: ViolationRecord) -> dict[str, Any]:
    return {
        "state": violation.state if violation.state != ViolationState.OPEN else ViolationState.ACKNOWLEDGED,
        "resolved_in": violation.resolved_in,
        "note": violation.note,
        "all_versions": True,
    }


def _decide(request: HttpRequest, violation: ViolationRecord, form: DecisionForm) -> bool:
    """Whether the decision holds now; what was refused stands in the form."""
    data = form.cleaned_data
    try:
        changed = decide_violation(
            actor=actor_of(request),
            violation=violation,
            state=ViolationState(data["state"]),
            resolved_in=data["resolved_in"].strip(),
            note=data["note"],
            all_versions=data["all_versions"],
        )
    except NotAllowed:
        raise
    except TelemetryError as error:
        form.refuse(error)
        return False
    state = ViolationState(data["state"]).label.lower()
    messages.success(request, f"{markup.counted(changed, 'violation')} {'is' if changed == 1 else 'are'} {state}.")
    return True


def _steps(request: HttpRequest, violation: ViolationRecord) -> Iterator[Step]:
    """Where the plan can be changed so that the event fits it; for who may change it."""
    if not violation.code or not actor_of(request).can("spec.edit"):
        return
    code = ViolationCode(violation.code)
    if code is ViolationCode.UNKNOWN_EVENT and violation.event_name:
        query = urlencode({"name": violation.event_name})
        yield Step("Plan this event", f"{list_address(EventRecord)}add/?{query}", "add")
        return
    event = event_in_drafts(violation.event_name, violation.event_version)
    if event is None:
        return
    if code is ViolationCode.UNDECLARED_PROPERTY and violation.property_name:
        query = urlencode({"declare": violation.property_name, "type": _declared_type(violation)})
        yield Step("Declare it in the draft", f"{address_of(event)}?{query}#properties", "add")
    elif code is ViolationCode.UNDECLARED_CONTEXT:
        yield Step("Open the spec's defaults", address_of(event.spec), "tune")
    elif code in CHANGEABLE:
        yield Step("Open it in the event editor", f"{address_of(event)}#properties", "edit")


def _declared_type(violation: ViolationRecord) -> str:
    """The type to declare the property with, by what the sample had."""
    shown = violation.sample.get("properties", {}).get("names", {}).get(violation.property_name, {})
    return {"number": "number", "boolean": "boolean", "object": "json", "list": "json"}.get(shown.get("type"), "string")


def _outline(violation: ViolationRecord) -> Iterator[ShownName]:
    for place, prefix in (("properties", ""), ("metadata", "context.metadata.")):
        for name, shown in violation.sample.get(place, {}).get("names", {}).items():
            size = shown.get("size")
            unit = {"string": "character", "list": "entry", "object": "entry"}.get(shown["type"], "")
            counted = "" if size is None else f"{size} {unit if size == 1 else unit.replace('entry', 'entrie') + 's'}"
            is_meant = name == violation.property_name and (violation.path.startswith("context") == bool(prefix))
            yield ShownName(f"{prefix}{name}", shown["type"], counted, shown["declared"], is_meant)
