"""A draft of a spec from what an installation received: looked at here, imported where documents are."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from studio.admin.fields import TextField, WholeNumberField
from studio.pages.forms import PageForm
from studio.pages.installation import head_of, installation_or_404
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.codec import spec_to_yaml
from telemetry.core.errors import TelemetryError
from telemetry.core.lint import lint_spec
from telemetry.services.traffic_drafts import MOST_DAYS, TrafficDraft, infer_from_traffic
from tenants.models import Installation

__all__ = ["traffic_draft"]

# More than a person reads at once.
SHOWN_DOUBTS = 100
# Of each kind of event: enough to tell a closed list from an open one.
SAMPLE = 500


class TrafficForm(PageForm):
    """What the draft is called, and what it is made of."""

    places = {"name": "name", "meta.name": "name"}

    name = TextField(label="Name of the new spec", help_text="Such as <code>shop.observed</code>.", required=True)
    days = WholeNumberField(label="Of how many days", min_value=1, max_value=MOST_DAYS, required=True)
    event = TextField(label="Of one event", help_text="Its name; without it, of all.")


def traffic_draft(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The form, and once there is a name the draft, what is uncertain about it, and the way to import it."""
    installation = installation_or_404(public_id)
    form = TrafficForm(
        request.GET if "name" in request.GET else None, initial={"name": f"{installation.app.slug}.observed", "days": 7}
    )
    context: dict[str, Any] = {"form": form, "head": head_of(request, installation, "")}
    if form.is_bound and form.is_valid():
        try:
            context |= _shown(request, _draft(installation, form))
        except TelemetryError as error:
            form.refuse(error)
    template = "studio/pages/traffic_draft.html"
    return render_page(request, template, noun=Installation, title="Draft from traffic", row=installation, **context)


def _draft(installation: Installation, form: TrafficForm) -> TrafficDraft:
    asked = form.cleaned_data
    return infer_from_traffic(
        installation,
        name=asked["name"],
        now=timezone.now(),
        days=asked["days"],
        sample=SAMPLE,
        event=asked["event"],
    )


def _shown(request: HttpRequest, draft: TrafficDraft) -> dict[str, Any]:
    names = [f"{event.name}@{event.version}" for event in draft.spec.events]
    return {
        "draft": draft,
        "document": spec_to_yaml(draft.spec),
        "doubts": [(_place(each.path, names), each) for each in draft.uncertainties[:SHOWN_DOUBTS]],
        "more_doubts": max(0, len(draft.uncertainties) - SHOWN_DOUBTS),
        "finding_count": len(lint_spec(draft.spec, today=timezone.now().date())),
        "import_address": reverse("admin:telemetry_specrecord_import_new"),
        "may_import": actor_of(request).can("spec.edit"),
    }


def _place(path: str, names: list[str]) -> str:
    """The path with the event's name in place of its number."""
    head, _, rest = path.partition("]")
    number = head.removeprefix("events[")
    if not number.isdigit():
        return "the whole draft"
    key = rest.removeprefix(".properties").removeprefix(".")
    return f"{names[int(number)]} {key}".strip()
