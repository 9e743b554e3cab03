"""The pages of one installation: what holds, since when, and the document that its apps get."""

import json
from datetime import datetime
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from studio import markup
from studio.addresses import address_of, list_address, page_address
from studio.head import Deed, Fact, Head, Tab
from studio.pages.keys import state_of
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.config import EffectiveConfig
from telemetry.core.errors import Conflict
from telemetry.selectors.configs import config_revision
from telemetry.services.configs import config_document, effective_config
from tenants.models import ApiKey, AuditEntry, Installation
from tenants.selectors import config_versions, draft_config, keys_of, planned_periods, published_config

__all__ = [
    "effective",
    "environment_chip",
    "head_of",
    "history",
    "installation_or_404",
    "summary",
    "version_and_time",
]

TABS = {
    "change": "Summary",
    "toggles": "Toggles",
    "config": "Effective config",
    "explain": "Explain",
    "history": "History",
}
VERSIONS_PER_PAGE = 50
ENVIRONMENT_TONES = {"production": "ink", "staging": "blue"}


def installation_or_404(public_id: UUID | str) -> Installation:
    """The installation of an address, with tenant and app; another tenant's is as absent as one that never was."""
    try:
        return get_object_or_404(Installation.objects.select_related("tenant", "app"), public_id=public_id)
    except ValidationError:
        raise Http404 from None


def environment_chip(installation: Installation) -> SafeString:
    """Where it runs."""
    return markup.chip(installation.environment, ENVIRONMENT_TONES.get(installation.environment, "grey"))


def version_and_time(number: int, instant: datetime | None) -> SafeString:
    """A version of an override, and since when it is live."""
    return format_html('Version {} <span class="quiet">{}</span>', number, markup.when(instant))


def head_of(request: HttpRequest, installation: Installation, page: str) -> Head:
    """What stands above each page of the installation."""
    tabs = tuple(
        Tab(title, address_of(installation) if name == "change" else page_address(installation, name), name == page)
        for name, title in TABS.items()
    )
    actor = actor_of(request)
    here = f"?installation={installation.public_id}"
    deeds = [
        Deed("Live", f"{reverse('live')}{here}", "stream"),
        Deed("Quarantine", f"{reverse('quarantine')}{here}", "inventory_2"),
        Deed("Draft from traffic", page_address(installation, "draft"), "draw"),
    ]
    if actor.can("config.edit", installation.tenant_id):
        deeds.append(Deed("Promote from", page_address(installation, "promote"), "move_up"))
    if actor.can("key.manage", installation.tenant_id):
        address = f"{list_address(ApiKey)}add/?installation={installation.pk}"
        deeds.append(Deed("Issue key", address, "key"))
    if actor.can("audit.view", installation.tenant_id):
        trail = list_address(AuditEntry, target_type="tenants.installation", target_id=installation.pk)
        deeds.append(Deed("Audit trail", trail, "receipt_long"))
    facts = (Fact("Tenant", installation.tenant.name), Fact("App", installation.app.name))
    return Head((environment_chip(installation),), facts, tuple(deeds), tabs)


def summary(request: HttpRequest, public_id: UUID | str) -> HttpResponse:
    """What holds at the installation, in a few lines."""
    installation = installation_or_404(public_id)
    config, problem = _effective_or_problem(installation)
    context: dict[str, object] = {
        "head": head_of(request, installation, "change"),
        "config": config,
        "problem": problem,
        "disabled": [] if config is None else [event for event in config.events if not event.enabled],
        "live": published_config(installation),
        "draft": draft_config(installation),
        "keys": [(key, state_of(key)) for key in keys_of(installation)[:5]],
        "keys_address": list_address(ApiKey, installation__id=installation.pk),
    }
    return _render(request, installation, "studio/pages/installation_summary.html", "", context)


def effective(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The document that the installation's apps fetch, readable."""
    installation = installation_or_404(public_id)
    context: dict[str, object] = {"head": head_of(request, installation, "config")}
    try:
        found = config_document(installation, config_revision(installation.pk))
    except Conflict as error:
        context["problem"] = error.message
    else:
        document = json.dumps(json.loads(found.body), indent=2, ensure_ascii=False)
        context |= {"document": document, "etag": found.etag, "revision": found.revision, "bytes": len(found.body)}
    return _render(request, installation, "studio/pages/effective_config.html", "Effective config", context)


def history(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Every version of the installation's override, newest first."""
    installation = installation_or_404(public_id)
    versions = config_versions(installation).defer("document", "based_on__document", "promoted_from__document")
    page = Paginator(versions, VERSIONS_PER_PAGE).get_page(request.GET.get("page"))
    actor = actor_of(request)
    context: dict[str, object] = {
        "head": head_of(request, installation, "history"),
        "versions": list(page),
        "page": page,
        "planned": list(planned_periods(installation)),
        "may_publish": actor.can("config.publish", installation.tenant_id),
        "may_edit": actor.can("config.edit", installation.tenant_id),
    }
    return _render(request, installation, "studio/pages/config_history.html", "History", context)


def _effective_or_problem(installation: Installation) -> tuple[EffectiveConfig | None, str]:
    try:
        return effective_config(installation), ""
    except Conflict as error:
        return None, error.message


def _render(
    request: HttpRequest, installation: Installation, template: str, title: str, context: dict[str, object]
) -> HttpResponse:
    return render_page(request, template, noun=Installation, title=title, row=installation, **context)
