"""The page that puts a version of an override into force: now or later, for good or for a while; or up for review."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.formats import date_format

from studio.addresses import address_of, page_address
from studio.pages.changes import groups_of, tally
from studio.pages.compare_configs import WHOLE
from studio.pages.configs import OPEN, config_or_404
from studio.pages.forms import PageForm, instant_field, posted, summary_field
from studio.pages.shell import render_page, report_refusal
from studio.people import actor_of
from telemetry.core.config import TenantOverride
from telemetry.core.errors import Conflict, NotAllowed, StaleRevision, TelemetryError
from telemetry.services.config_comparisons import compare_overrides
from telemetry.services.overrides import find_override_errors, publish_override, schedule_override
from tenants.actors import Actor, require
from tenants.mappers import override_of
from tenants.models import TenantAppConfig
from tenants.selectors import planned_periods, published_config
from tenants.services.config_drafts import preview_config

__all__ = ["release"]


class ReleaseForm(PageForm):
    """When, until when, and why."""

    places = {"change_summary": "change_summary", "starts_at": "starts_at", "ends_at": "ends_at"}

    change_summary = summary_field()
    starts_at = instant_field("Goes live at (UTC)", help_text="Empty: now.")
    ends_at = instant_field(
        "Ends at (UTC)", help_text="Empty: it stays for good. Else what holds without it is live again then."
    )
    expected_checksum = forms.CharField(widget=forms.HiddenInput())
    expected_number = forms.IntegerField(required=False, widget=forms.HiddenInput())


def release(request: HttpRequest, config_id: int) -> HttpResponse:
    """What the version changes, and the form that puts it into force."""
    actor, config = actor_of(request), config_or_404(config_id)
    require(actor, "config.edit", config.tenant_id)
    live = published_config(config.installation)
    shown = {"expected_checksum": config.checksum, "expected_number": None if live is None else live.number}
    sent = posted(request)
    if sent is not None and "preview" in sent:
        return _open_preview(request, actor, config)
    form = ReleaseForm(sent, initial=shown)
    if sent is not None and form.is_valid():
        try:
            messages.success(request, _release(actor, config, form.cleaned_data))
        except NotAllowed:
            raise
        except StaleRevision:
            form.take_new_state(shown)
        except TelemetryError as error:
            form.refuse(error)
        else:
            return HttpResponseRedirect(page_address(config.installation, "history"))
    return _render(request, actor, config, live, form)


def _release(actor: Actor, config: TenantAppConfig, data: dict[str, Any]) -> str:
    """What the next page says once the version is in force, or planned."""
    common = {
        "actor": actor,
        "config": config,
        "change_summary": data["change_summary"],
        "expected_checksum": data["expected_checksum"],
        "expected_published_number": data["expected_number"],
        "ends_at": data["ends_at"],
    }
    until = f" until {_shown(data['ends_at'])}" if data["ends_at"] else ""
    if data["starts_at"] is None:
        published = publish_override(**common)
        return f"Version {published.number} is live{until}. Apps get the new config with their next request."
    schedule_override(**common, starts_at=data["starts_at"])
    return f"Version {config.number} goes live by itself at {_shown(data['starts_at'])}{until}."


def _open_preview(request: HttpRequest, actor: Actor, config: TenantAppConfig) -> HttpResponse:
    checksum = request.POST.get("expected_checksum", "")
    try:
        preview_config(actor=actor, config=config, expected_checksum=checksum)
    except Conflict as error:
        report_refusal(request, error)
    else:
        messages.success(
            request,
            f"Version {config.number} is final and up for review. Keys with the scope config:preview fetch it with "
            f"?preview={config.number}.",
        )
    return HttpResponseRedirect(page_address(config, "release"))


def _render(
    request: HttpRequest, actor: Actor, config: TenantAppConfig, live: TenantAppConfig | None, form: ReleaseForm
) -> HttpResponse:
    before = TenantOverride() if live is None else override_of(live)
    context: dict[str, Any] = {
        "form": form,
        "config": config,
        "live": live,
        "is_open": config.status in OPEN,
        "problems": find_override_errors(config.installation, override_of(config)),
        "planned": [period for period in planned_periods(config.installation) if period.config_id == config.pk],
        "may_publish": actor.can("config.publish", config.tenant_id),
        "before_words": "The app's defaults" if live is None else f"Version {live.number}",
        "after_words": f"Version {config.number}",
        "back": address_of(config),
    }
    try:
        diff = compare_overrides(config.installation, before, override_of(config))
    except Conflict as error:
        context["no_comparison"] = error.message
    else:
        context |= {"diff": diff, "tally": tally(diff), "groups": groups_of(diff.changes, {}, whole=WHOLE)}
    title = f"Release version {config.number}"
    return render_page(
        request, "studio/pages/config_release.html", noun=TenantAppConfig, title=title, row=config, **context
    )


def _shown(instant: Any) -> str:
    return f"{date_format(instant, 'j M Y, H:i')} UTC"
