"""The pages that say what a draft or an override would do, told from what came in lately."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from studio.addresses import page_address
from studio.pages.configs import config_or_404
from studio.pages.installation import head_of
from studio.pages.shell import render_page
from studio.pages.spec_head import spec_head, spec_or_404
from studio.people import actor_of
from telemetry.core.errors import Conflict
from telemetry.core.validation import check_spec
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.services.what_if.asking import WhatIf, what_if_override, what_if_spec
from tenants.actors import require
from tenants.mappers import override_of
from tenants.models import TenantAppConfig

__all__ = ["config_what_if", "what_if", "what_if_words"]


def what_if(request: HttpRequest, spec_id: int) -> HttpResponse:
    """What publishing the draft would have done to the events of the last days, by installation."""
    actor, record = actor_of(request), spec_or_404(actor_of(request), spec_id)
    require(actor, "view")
    state = DraftState(record)
    context: dict[str, Any] = {"head": spec_head(request, state, "what-if"), "is_broken": bool(check_spec(state.draft))}
    if not context["is_broken"] and record.has_changes:
        context |= what_if_words(what_if_spec(actor=actor, spec=state.draft))
    template = "studio/pages/what_if.html"
    return render_page(request, template, noun=SpecRecord, title="What if", row=record, **context)


def config_what_if(request: HttpRequest, config_id: int) -> HttpResponse:
    """What the version of an override would have done to the events of the last days."""
    actor, config = actor_of(request), config_or_404(config_id)
    installation = config.installation
    context: dict[str, Any] = {
        "head": head_of(request, installation, "history"),
        "config": config,
        "back": page_address(config, "release"),
    }
    try:
        found = what_if_override(actor=actor, installation=installation, override=override_of(config))
    except Conflict as error:
        context["problem"] = error.message
    else:
        context |= what_if_words(found)
    title = f"What if version {config.number}"
    return render_page(request, "studio/pages/what_if.html", noun=TenantAppConfig, title=title, row=config, **context)


def what_if_words(found: WhatIf) -> dict[str, Any]:
    """What ``studio/components/what_if.html`` shows."""
    events = [event for item in found.items for event in item.events]
    return {
        "what_if": found,
        "what_if_received": sum(event.received for event in events),
        "what_if_kept": sum(event.kept.difference for event in events),
        "is_tried_on_events": any(event.sample for event in events),
    }
