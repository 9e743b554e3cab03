"""Pages that bring a version of an override back, end it, or put it away."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404

from studio.addresses import address_of, page_address
from studio.pages.forms import PageForm, posted, summary_field
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.errors import NotAllowed, TelemetryError
from telemetry.services.overrides import rollback_override
from tenants.actors import require
from tenants.models import ConfigPeriod, ConfigStatus, TenantAppConfig
from tenants.selectors import published_config
from tenants.services.config_schedules import end_period
from tenants.services.configs import archive_config

__all__ = ["ARCHIVABLE", "OPEN", "archive", "config_or_404", "end", "rollback"]

OPEN: Final = (ConfigStatus.DRAFT, ConfigStatus.PREVIEW)
ARCHIVABLE: Final = (*OPEN, ConfigStatus.SUPERSEDED)


class RollbackForm(PageForm):
    """Why, and what was live when it was decided."""

    places = {"change_summary": "change_summary"}

    change_summary = summary_field("Why do you go back?")
    expected_number = forms.IntegerField(widget=forms.HiddenInput())


def rollback(request: HttpRequest, config_id: int) -> HttpResponse:
    """The override of a superseded version is live again, as a new version."""
    actor, config = actor_of(request), config_or_404(config_id)
    require(actor, "config.publish", config.tenant_id)
    live = published_config(config.installation)
    shown = {"expected_number": None if live is None else live.number}
    form = RollbackForm(posted(request), initial=shown)
    if request.method == "POST" and form.is_valid():
        try:
            restored = rollback_override(
                actor=actor,
                installation=config.installation,
                number=config.number,
                change_summary=form.cleaned_data["change_summary"],
                expected_published_number=form.cleaned_data["expected_number"],
            )
        except NotAllowed:
            raise
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"Version {restored.number} is live: it says what version {config.number} said.")
            return HttpResponseRedirect(page_address(config.installation, "history"))
    context: dict[str, Any] = {"form": form, "config": config, "live": live, "back": address_of(config)}
    title = f"Roll back to version {config.number}"
    return render_page(request, "studio/pages/rollback.html", noun=TenantAppConfig, title=title, row=config, **context)


def archive(request: HttpRequest, config_id: int) -> HttpResponse:
    """A draft or preview is given up, or a superseded version is put away."""
    actor, config = actor_of(request), config_or_404(config_id)
    require(actor, "config.edit", config.tenant_id)

    def deed() -> str:
        archive_config(actor=actor, config=config)
        return f"Version {config.number} is archived."

    return confirm(
        request,
        noun=TenantAppConfig,
        row=config,
        title=f"Archive version {config.number}",
        text=f"Version {config.number} of {config.installation} is put away for good: it can be read, and never goes "
        "live again. What is live now stays live.",
        button="Archive it",
        back=address_of(config),
        deed=deed,
    )


def end(request: HttpRequest, period_id: int) -> HttpResponse:
    """What is planned does not start, or what runs for a while ends now."""
    actor = actor_of(request)
    rows = ConfigPeriod.objects.select_related("config__installation__tenant", "config__installation__app")
    period = get_object_or_404(rows, pk=period_id)
    require(actor, "config.publish", period.tenant_id)
    number, is_planned = period.config.number, period.config.status == ConfigStatus.PREVIEW

    def deed() -> str:
        end_period(actor=actor, period=period)
        return f"Version {number} {'does not start' if is_planned else 'has ended'}."

    return confirm(
        request,
        noun=TenantAppConfig,
        row=period.config,
        title=f"Cancel version {number}" if is_planned else f"End version {number} now",
        text=f"Version {number} does not go live by itself. It stays up for review, and can be planned again."
        if is_planned
        else f"Version {number} ends now, and apps get what holds without it with their next request.",
        button="Cancel it" if is_planned else "End it now",
        back=page_address(period.config.installation, "history"),
        deed=deed,
    )


def config_or_404(config_id: int) -> TenantAppConfig:
    """The version of an address, with its installation; another tenant's is as absent as one that never was."""
    rows = TenantAppConfig.objects.select_related("installation__tenant", "installation__app", "based_on")
    return get_object_or_404(rows, pk=config_id)
