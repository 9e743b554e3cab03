"""Opening an alert channel, and what is done to one."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from studio.markup import counted
from studio.pages.alert_channel import MUTES
from studio.pages.alert_forms import NewChannelForm
from studio.pages.alert_words import error_words
from studio.pages.forms import posted
from studio.pages.scope import tenants_where
from studio.pages.shell import confirm, render_page, report_refusal
from studio.people import actor_of
from telemetry.core.errors import Conflict, InvalidDocument
from telemetry.models import AlertChannel, ChannelKind
from telemetry.selectors.alerts import channel_by_id
from telemetry.services.alerts import channels as services
from telemetry.services.alerts.resending import resend_notifications
from tenants.actors import require, require_somewhere

__all__ = ["mute", "new", "remove", "resend", "switch", "try_out"]


def new(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the new channel's page."""
    actor = actor_of(request)
    require_somewhere(actor, "alert.manage")
    form = NewChannelForm(posted(request), tenants=tenants_where(actor, "alert.manage"))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            channel = services.open_channel(
                actor=actor,
                tenant=data["tenant"],
                name=data["name"],
                kind=ChannelKind(data["kind"]),
                destination=form.destination,
                settings=form.settings,
            )
        except (InvalidDocument, Conflict) as error:
            form.refuse(error)
        else:
            messages.success(request, f"{channel.name} is open. Send it a test.")
            return HttpResponseRedirect(_page(channel))
    context: dict[str, Any] = {
        "form": form,
        "button": "Open the channel",
        "back": reverse("alerts"),
        "lead": "Incidents whose rule has the action alert are told there. A tenant's first channel is told of all of "
        "them, until routes say otherwise.",
    }
    return render_page(request, "studio/pages/form.html", noun=AlertChannel, title="New alert channel", **context)


@require_POST
def try_out(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """A test is sent, and the page says how that went."""
    channel = channel_by_id(channel_id)
    try:
        sending = services.try_channel(actor=actor_of(request), channel=channel)
    except Conflict as error:
        report_refusal(request, error)
        return HttpResponseRedirect(_page(channel))
    if sending.trouble is None:
        messages.success(request, f"{channel.name} took the test.")
    else:
        messages.error(request, f"{error_words(sending.error, sending.status)}.")
    return HttpResponseRedirect(_page(channel))


@require_POST
def switch(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Off becomes on, and on becomes off."""
    channel = channel_by_id(channel_id)
    is_enabled = not channel.is_enabled
    services.switch_channel(actor=actor_of(request), channel=channel, is_enabled=is_enabled)
    said = "is told again" if is_enabled else "is told nothing until you switch it on again"
    messages.success(request, f"{channel.name} {said}.")
    return HttpResponseRedirect(_page(channel))


@require_POST
def mute(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Nothing is sent for the chosen time, or the mute is over."""
    channel = channel_by_id(channel_id)
    if "unmute" in request.POST:
        services.mute_channel(actor=actor_of(request), channel=channel, until=None)
        messages.success(request, f"{channel.name} is told again, of what still lasts too.")
    else:
        hours = request.POST.get("hours", "")
        hours = hours if hours in MUTES else "1"
        until = timezone.now() + timedelta(hours=int(hours))
        services.mute_channel(actor=actor_of(request), channel=channel, until=until)
        messages.success(request, f"{channel.name} is muted for {MUTES[hours]}. What would be told is kept here.")
    return HttpResponseRedirect(_page(channel))


def resend(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Everything that was given up waits again."""
    actor, channel = actor_of(request), channel_by_id(channel_id)
    require(actor, "alert.operate", channel.tenant_id)

    def deed() -> str:
        count = resend_notifications(actor=actor, channel=channel)
        return f"{counted(count, 'notification')} wait to be sent again, within half a minute."

    return confirm(
        request,
        noun=AlertChannel,
        row=None,
        title=f"Send again what {channel.name} did not get",
        text="All of it waits as if it were new, under the same ids, so that the other end can tell what it had.",
        button="Send again",
        back=_page(channel),
        deed=deed,
        tone="primary",
    )


def remove(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Channel, routes and notifications are gone."""
    actor, channel = actor_of(request), channel_by_id(channel_id)
    require(actor, "alert.manage", channel.tenant_id)

    def deed() -> str:
        waiting = services.remove_channel(actor=actor, channel=channel)
        return f"{channel.name} is removed; {counted(waiting, 'notification')} still waited for it."

    return confirm(
        request,
        noun=AlertChannel,
        row=None,
        title=f"Remove {channel.name}",
        text=f"Where it leads, its {counted(channel.routes.count(), 'route')} and all that it was told are gone for "
        "good. Incidents stay. To stop for a while, mute it instead.",
        button="Remove the channel",
        back=reverse("alerts") if request.method == "POST" else _page(channel),
        deed=deed,
    )


def _page(channel: AlertChannel) -> str:
    return reverse("alert_channel", args=[channel.public_id])
