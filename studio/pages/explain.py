"""Why the config is what it is: the story of each value, layer by layer, now or at any instant."""

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from unfold.widgets import UnfoldAdminTextInputWidget

from studio import markup
from studio.pages.changes import plainly
from studio.pages.forms import instant_field
from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import render_page
from studio.redaction_settings import setting_text
from telemetry.core.enums import Layer
from telemetry.core.errors import Conflict
from telemetry.core.explaining import NOTHING, Explanation
from telemetry.core.layers import Step, event_reference
from telemetry.core.paths import split_path
from telemetry.core.spec import EventDefinition, Redaction
from telemetry.services.explanations import ExplainedConfig, explain_installation
from telemetry.services.layer_sources import LayerSource
from tenants.models import Installation

__all__ = ["Leaf", "explain"]

EVENTS_PER_PAGE: Final = 50

# What the values of an event are called, in the order in which people ask for them; the rest follows.
NAMES: Final = {
    "enabled": "Collected",
    "sampling.rate": "Share kept",
    "sampling.otherwiseRate": "Share kept when a condition does not hold",
    "sampling.conditions": "Conditions of that share",
    "retention.days": "Kept for",
    "retention.policy": "After that",
    "privacy": "Privacy level",
    "anomalyDetection.enabled": "Watched for anomalies",
    "anomalyDetection.minimumSample": "Least number of values",
    "anomalyDetection.thresholds": "Bounds",
    "anomalyDetection.rules": "Rules",
    "anomalyDetection.actions": "What follows an anomaly",
    "tags": "Tags",
}
CONFIG_NAMES: Final = {
    "enabled": "Telemetry",
    "undeclaredProperties": "Undeclared properties",
    "checkIntervalMs": "Anomalies are looked for every (ms)",
    "providers": "Providers",
    "quarantineDays": "Refused events are held for (days)",
    "maskDetected": "Detected personal data is masked",
}


class ShownStep(NamedTuple):
    """One layer of a story; ``wins`` for the one that has set the value."""

    layer: Layer
    asked: str
    value: str
    place: str
    source: LayerSource
    wins: bool
    is_followed: bool


class Leaf(NamedTuple):
    """One value: what it is called and is, who set it, what it would be without that, and its story."""

    path: str
    name: str
    value: str
    layer: Layer
    source: LayerSource
    limited: tuple[Layer, ...]
    without: str | None
    steps: tuple[ShownStep, ...]


class Section(NamedTuple):
    """Values that belong together."""

    title: str
    leaves: list[Leaf]


class AskForm(forms.Form):
    """Of which events, and when."""

    q = forms.CharField(
        label="Event",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "search", "placeholder": "Name, meaning or tag"}),
    )
    at = instant_field("At (UTC)", help_text="Empty: now.")


def explain(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The values of one event or of the whole installation, and the way to those of each event."""
    installation = installation_or_404(public_id)
    form = AskForm(request.GET)
    form.is_valid()
    at = form.cleaned_data.get("at")
    reference = request.GET.get("event", "")
    context: dict[str, Any] = {
        "head": head_of(request, installation, "explain"),
        "form": form,
        "at": at,
        "event": reference,
        "when": urlencode({"at": f"{at:%Y-%m-%dT%H:%M}"}) if at else "",
    }
    try:
        names = [reference.rpartition("@")[0]] if reference else []
        explained = explain_installation(installation, at=at, event_names=names)
    except Conflict as error:
        context["problem"] = error.message
    else:
        context |= _shown(explained, form.cleaned_data.get("q", ""), request.GET.get("page"), reference)
    return render_page(
        request, "studio/pages/explain.html", noun=Installation, title="Explain", row=installation, **context
    )


def _shown(explained: ExplainedConfig, words: str, number: str | None, reference: str) -> dict[str, Any]:
    found = [event for event in explained.spec.events if _matches(event, words)]
    page = Paginator(found, EVENTS_PER_PAGE).get_page(number)
    sections = list(_sections(explained, reference))
    return {
        "explained": explained,
        "missing": explained.config.missing,
        "sections": sections,
        "is_known": not reference or any(section.leaves for section in sections),
        "events": [] if reference else [(event, event_reference(event.name, event.version)) for event in page],
        "page": None if reference else page,
        "query": urlencode({"q": words}) if words else "",
    }


def _matches(event: EventDefinition, words: str) -> bool:
    text = " ".join((event.name, event.semantics.what, *event.tags)).lower()
    return all(word in text for word in words.lower().split())


def _sections(explained: ExplainedConfig, reference: str) -> Iterator[Section]:
    """Of the event, or of the whole installation without one."""
    prefix = f"events[{reference}]."
    leaves = [each for each in explained.explanations if each.path.startswith(prefix) == bool(reference)]
    if not reference:
        yield Section("The whole installation", [_leaf(explained, each, _config_name(each.path)) for each in leaves])
        return
    inside = {each.path.removeprefix(prefix): each for each in leaves if each.path.startswith(prefix)}
    if inside:
        yield Section(
            "What holds", [_leaf(explained, inside[key], name) for key, name in NAMES.items() if key in inside]
        )
        properties = {key: each for key, each in inside.items() if key not in NAMES}
        hidden = {key: each for key, each in properties.items() if key.endswith(".redaction")}
        yield Section(
            "How each property is hidden", [_leaf(explained, each, _property(key)) for key, each in hidden.items()]
        )
        rest = {key: each for key, each in properties.items() if key not in hidden}
        yield Section("What is sent", [_leaf(explained, each, _property(key, full=True)) for key, each in rest.items()])


def _leaf(explained: ExplainedConfig, leaf: Explanation, name: str) -> Leaf:
    show = _shower(leaf.path)
    winner = max((index for index, step in enumerate(leaf.steps) if step.layer is leaf.layer), default=-1)
    steps = tuple(_step(explained, leaf, step, show, wins=index == winner) for index, step in enumerate(leaf.steps))
    without = None if leaf.without is NOTHING else show(leaf.without)
    return Leaf(leaf.path, name, show(leaf.value), leaf.layer, explained.sources.of(leaf), leaf.limited, without, steps)


def _step(
    explained: ExplainedConfig, leaf: Explanation, step: Step, show: Callable[[Any], str], *, wins: bool
) -> ShownStep:
    return ShownStep(
        step.layer,
        show(step.asked),
        show(step.value),
        step.path,
        explained.sources.of(leaf, step),
        wins,
        step.asked == step.value,
    )


def _shower(path: str) -> Callable[[Any], str]:
    """How values at the path are shown to people."""
    if path.endswith((".rate", ".otherwiseRate")):
        return markup.percent
    if path.endswith("enabled"):
        return lambda value: "on" if value else "off"
    if path.endswith("retention.days"):
        return lambda value: markup.counted(value, "day")
    if path.endswith(".redaction"):
        return _hiding
    return lambda value: plainly(value) or "nothing"


def _hiding(redaction: Redaction | None) -> str:
    if redaction is None:
        return "shown as it is"
    return " ".join(f"{redaction.strategy} {setting_text(redaction)}".split()).replace("_", " ")


def _property(key: str, *, full: bool = False) -> str:
    """The property's name, with what is said of it."""
    _, name, *rest = split_path(key)
    return f"{name}: {rest[-1]}" if full and rest else str(name)


def _config_name(path: str) -> str:
    return CONFIG_NAMES.get(path, path.replace("contextProperties", "Context"))
