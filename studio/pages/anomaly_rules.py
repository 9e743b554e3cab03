"""The anomaly rules of one event of a draft: listed, tried on what came in, and saved."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from studio.addresses import address_of
from studio.metric_chart import ChartPoint, timeline
from studio.pages.forms import PageForm, posted
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.anomaly.rules import describe_rule
from telemetry.core.codec import convert_document
from telemetry.core.enums import AnomalyAction, AnomalyMethod, Statistic
from telemetry.core.errors import InvalidDocument, NotAllowed, StaleRevision, TelemetryError
from telemetry.core.plain import to_plain
from telemetry.core.spec import AnomalyDetection, AnomalyRule, EventDefinition
from telemetry.mappers import event_from_record
from telemetry.models import EventRecord
from telemetry.selectors.metric_windows import EventKey
from telemetry.services.anomalies.backtest import DAYS, Backtest, backtest_event
from telemetry.services.specs import save_event
from tenants.actors import require
from tenants.models import Installation
from tenants.selectors import installations_in_context

__all__ = ["anomaly_rule", "anomaly_rules", "remove_anomaly_rule"]

# What a list to choose from can hold.
MOST_INSTALLATIONS: Final = 200
RULE_PATH: Final = re.compile(r"anomalyDetection\.rules\[\d+\]\.?")
STATISTICS: Final = {
    Statistic.COUNT: "Number of events",
    Statistic.RATE_PER_MINUTE: "Events a minute",
    Statistic.ERROR_RATIO: "Share of rejected events",
    Statistic.VIOLATION_RATE: "Share of events with a violation",
    Statistic.UNIQUE_SUBJECTS: "Number of subjects",
    Statistic.SHARE: "Share of one value of a property",
    Statistic.MISSING_SHARE: "Share of events without a property",
    Statistic.MEAN: "Mean of a property",
    Statistic.P50: "Median of a property",
    Statistic.P95: "95th percentile of a property",
    Statistic.P99: "99th percentile of a property",
    Statistic.MIN: "Least value of a property",
    Statistic.MAX: "Greatest value of a property",
}
METHODS: Final = {
    AnomalyMethod.LIMITS: "Limits: below the minimum or above the maximum",
    AnomalyMethod.SEASONAL: "Seasonal: far from what is usual at this hour",
    AnomalyMethod.LEVEL_SHIFT: "Level shift: stays on another level than before",
    AnomalyMethod.SILENCE: "Silence: no event for longer than its cadence allows",
    AnomalyMethod.SURPRISE: "Surprise: rarer than nearly all that was seen",
}


def number_field(label: str, help_text: str = "") -> forms.FloatField:
    """A number that may be left out."""
    return forms.FloatField(label=label, required=False, widget=UnfoldAdminTextInputWidget(), help_text=help_text)


class RuleForm(PageForm):
    """One rule, and the installation on which it is tried."""

    places = {
        "name": "name",
        "statistic": "statistic",
        "method": "method",
        "metric": "metric",
        "value": "value",
        "min": "min",
        "max": "max",
        "sensitivity": "sensitivity",
        "minimumEffect": "minimum_effect",
        "windowMinutes": "window_minutes",
        "minimumSample": "minimum_sample",
        "actions": "actions",
    }

    name = forms.CharField(
        max_length=64,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Lower-case letters, digits and _, such as slow_steps. Incidents carry it.",
    )
    statistic = forms.ChoiceField(
        label="Watch",
        choices=[(each.value, words) for each, words in STATISTICS.items()],
        widget=UnfoldAdminSelectWidget(),
    )
    metric = forms.ChoiceField(label="Of the property", required=False, widget=UnfoldAdminSelectWidget())
    value = forms.CharField(
        label="The value",
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For the share of one value: one of the allowed values, true or false.",
    )
    method = forms.ChoiceField(
        label="Tell what is wrong by",
        choices=[(each.value, words) for each, words in METHODS.items()],
        widget=UnfoldAdminSelectWidget(),
    )
    min = number_field("Minimum", "For limits.")
    max = number_field("Maximum", "For limits.")
    sensitivity = number_field(
        "Sensitivity",
        "For the other methods; more means fewer alarms. Empty: 4 for seasonal, 5 shift, 10 silence, 7 surprise.",
    )
    minimum_effect = number_field(
        "Smallest effect", "For seasonal and shift: a ratio of what is usual. Empty: 0.25 and 0.2."
    )
    window_minutes = forms.IntegerField(
        label="Window (minutes)",
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Empty: the spec's check interval.",
    )
    minimum_sample = forms.IntegerField(
        label="Minimum sample",
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Windows with fewer events are not judged. Empty: the event's.",
    )
    actions = forms.MultipleChoiceField(
        label="On a breach",
        required=False,
        choices=[(action.value, action.value.replace("_", " ")) for action in AnomalyAction],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None: the event's actions.",
    )
    installation = forms.ChoiceField(label="Try it on", required=False, widget=UnfoldAdminSelectWidget())
    expected_revision = forms.IntegerField(widget=forms.HiddenInput())

    def __init__(self, *args: Any, event: EventDefinition, installations: list[Installation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        metrics = cast("forms.ChoiceField", self.fields["metric"])
        metrics.choices = [("", "none"), *((name, name) for name in event.properties)]
        places = cast("forms.ChoiceField", self.fields["installation"])
        places.choices = [(str(each.public_id), str(each)) for each in installations]

    def document(self) -> dict[str, Any]:
        """The rule in document terms; what is empty is left out."""
        data = self.cleaned_data
        plain = {
            "name": data["name"].strip(),
            "statistic": data["statistic"],
            "method": data["method"],
            "metric": data["metric"] or None,
            "value": _value(data["value"]),
            "min": data["min"],
            "max": data["max"],
            "sensitivity": data["sensitivity"],
            "minimumEffect": data["minimum_effect"],
            "windowMinutes": data["window_minutes"],
            "minimumSample": data["minimum_sample"],
            "actions": data["actions"] or None,
        }
        return {name: setting for name, setting in plain.items() if setting is not None}


def anomaly_rules(request: HttpRequest, event_id: int) -> HttpResponse:
    """The rules of the event, in words, with what can be done about them."""
    actor, record = actor_of(request), _record(event_id)
    require(actor, "view")
    detection = event_from_record(record).anomaly_detection or AnomalyDetection()
    context: dict[str, Any] = {
        "event": record,
        "rules": [(rule, describe_rule(rule)) for rule in detection.rules],
        "thresholds": detection.thresholds,
        "default_actions": ", ".join(detection.actions) or "none",
        "is_off": not detection.enabled,
        "may_edit": actor.can("spec.edit"),
        "back": f"{address_of(record)}#anomalies",
    }
    title = f"Anomaly rules of {record}"
    return render_page(request, "studio/pages/anomaly_rules.html", noun=EventRecord, row=record, title=title, **context)


def anomaly_rule(request: HttpRequest, event_id: int, rule: str = "") -> HttpResponse:
    """The form of one rule, a new one if none is named; sent, it is tried or saved in the draft."""
    actor, record = actor_of(request), _record(event_id)
    require(actor, "spec.edit")
    event, installations = event_from_record(record), list(installations_in_context()[:MOST_INSTALLATIONS])
    form = RuleForm(posted(request), initial=_initial(record, event, rule), event=event, installations=installations)
    found: list[Backtest] = []
    trouble = ""
    if request.method == "POST" and form.is_valid():
        changed = _changed(event, rule, form)
        if changed is not None and "save" in request.POST and _saved(request, record, changed, form):
            return HttpResponseRedirect(reverse("anomaly_rules", args=[record.pk]))
        if changed is not None and "save" not in request.POST:
            found, trouble = _tried(changed, form, installations)
    context: dict[str, Any] = {
        "event": record,
        "form": form,
        "rule": rule,
        "days": DAYS,
        "backtests": [(each, _chart(each)) for each in found],
        "trouble": trouble,
        "back": reverse("anomaly_rules", args=[record.pk]),
    }
    title = f"{'Rule ' + rule if rule else 'New rule'} of {record}"
    return render_page(request, "studio/pages/anomaly_rule.html", noun=EventRecord, row=record, title=title, **context)


def remove_anomaly_rule(request: HttpRequest, event_id: int, rule: str) -> HttpResponse:
    """The draft has no such rule any more."""
    actor, record = actor_of(request), _record(event_id)
    require(actor, "spec.edit")

    def deed() -> str:
        event = event_from_record(record)
        detection = event.anomaly_detection or AnomalyDetection()
        rest = tuple(each for each in detection.rules if each.name != rule)
        _save(request, record, _with_rules(event, rest), record.spec.draft_revision)
        return f"The rule {rule} is no longer in the draft."

    return confirm(
        request,
        noun=EventRecord,
        row=record,
        title=f"Remove the rule {rule}",
        text=f"The rule {rule} leaves the draft of {record}. Its incidents stay; once the draft is published, nothing "
        "is judged by it any more.",
        button="Remove the rule",
        back=reverse("anomaly_rules", args=[record.pk]),
        deed=deed,
    )


def _record(event_id: int) -> EventRecord:
    return get_object_or_404(EventRecord.objects.select_related("spec"), pk=event_id)


def _initial(record: EventRecord, event: EventDefinition, name: str) -> dict[str, Any]:
    initial: dict[str, Any] = {"expected_revision": record.spec.draft_revision}
    detection = event.anomaly_detection or AnomalyDetection()
    rule = next((each for each in detection.rules if each.name == name), None)
    if rule is not None:
        initial |= {field: getattr(rule, field) for field in AnomalyRule.__struct_fields__}
        if isinstance(rule.value, bool):
            initial["value"] = str(rule.value).lower()
    return initial


def _changed(event: EventDefinition, name: str, form: RuleForm) -> EventDefinition | None:
    """The event with the rule as the form has it; ``None`` when it makes no sense, and the form says why."""
    try:
        rule = convert_document(form.document(), AnomalyRule, what="rule")
        detection = event.anomaly_detection or AnomalyDetection()
        rules = [rule if each.name == name else each for each in detection.rules]
        changed = _with_rules(event, tuple(rules if name else [*rules, rule]))
        # Rules across the event: names are unique, properties are there.
        convert_document(to_plain(changed), EventDefinition, what="event")
    except TelemetryError as error:
        form.refuse(_inside_rule(error))
        return None
    return changed


def _with_rules(event: EventDefinition, rules: tuple[AnomalyRule, ...]) -> EventDefinition:
    detection = event.anomaly_detection or AnomalyDetection()
    return msgspec.structs.replace(event, anomaly_detection=msgspec.structs.replace(detection, rules=rules))


def _inside_rule(error: TelemetryError) -> TelemetryError:
    """The error with paths that begin at the rule."""
    errors = [
        msgspec.structs.replace(each, path=RULE_PATH.sub("", each.path)) if RULE_PATH.match(each.path) else each
        for each in error.errors
    ]
    return InvalidDocument(errors, what="rule") if errors else error


def _saved(request: HttpRequest, record: EventRecord, changed: EventDefinition, form: RuleForm) -> bool:
    try:
        _save(request, record, changed, form.cleaned_data["expected_revision"])
    except NotAllowed:
        raise
    except StaleRevision:
        record.spec.refresh_from_db()
        form.take_new_state({"expected_revision": record.spec.draft_revision})
        return False
    except TelemetryError as error:
        form.refuse(_inside_rule(error))
        return False
    messages.success(request, "The rule is in the draft. It is judged once the draft is published.")
    return True


def _save(request: HttpRequest, record: EventRecord, changed: EventDefinition, revision: int) -> None:
    save_event(actor=actor_of(request), spec_name=record.spec.name, event=changed, expected_revision=revision)


def _tried(changed: EventDefinition, form: RuleForm, installations: list[Installation]) -> tuple[list[Backtest], str]:
    """What the rule would have done at the chosen installation, or why nobody knows."""
    chosen = {str(each.public_id): each for each in installations}.get(form.cleaned_data["installation"])
    if chosen is None:
        return [], "There is no installation to try it on."
    detection = changed.anomaly_detection or AnomalyDetection()
    name = form.cleaned_data["name"].strip()
    only = msgspec.structs.replace(
        detection, thresholds=(), rules=tuple(rule for rule in detection.rules if rule.name == name)
    )
    try:
        key = EventKey(changed.name, changed.version)
        return backtest_event(installation=chosen, event=key, detection=only, now=timezone.now()), ""
    except TelemetryError as error:
        return [], f"It cannot be tried there: {error.message}."


def _chart(found: Backtest) -> Any:
    points = [ChartPoint(each.start, each.value, each.low, each.high, each.is_breach) for each in found.windows]
    return timeline(points, title=f"{found.words}: {len(found.episodes)} incidents in {DAYS} days")


def _value(text: str) -> str | float | bool | None:
    """The value as its type writes it: true and false, a number, or text."""
    words: Mapping[str, bool] = {"true": True, "false": False}
    stripped = text.strip()
    if not stripped:
        return None
    if stripped in words:
        return words[stripped]
    try:
        return float(stripped)
    except ValueError:
        return stripped
