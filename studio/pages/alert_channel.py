"""One alert channel: how it does, what it was told, and its settings with a preview."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from studio.pages.alert_forms import ChannelForm
from studio.pages.alert_words import (
    channel_chip,
    conditions_of,
    error_words,
    notification_chip,
    notification_note,
)
from studio.pages.forms import posted
from studio.pages.queries import page_of_rows, without
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.errors import InvalidDocument
from telemetry.models import AlertChannel, Notification, NotificationState
from telemetry.selectors.alerts import channel_by_id, notifications, pending, routes
from telemetry.services.alerts.channels import change_channel
from telemetry.services.alerts.wording import Message, preview
from tenants.actors import require

__all__ = ["MUTES", "alert_channel_page"]

PAGE_SIZE: Final = 25
MUTES: Final = {"1": "1 hour", "8": "8 hours", "24": "1 day", "168": "1 week"}
STATE_WORDS: Final = {"": "All", **{state.value: str(state.label) for state in NotificationState}}


class ShownNotification(NamedTuple):
    """A row of the list."""

    row: Notification
    state: SafeString
    note: str


def alert_channel_page(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """The channel; sent, its new settings, or what they would make of an example."""
    actor, channel = actor_of(request), channel_by_id(channel_id)
    require(actor, "view", channel.tenant_id)
    form = ChannelForm(posted(request), initial=ChannelForm.initial_of(channel))
    shown: Message | None = None
    if request.method == "POST":
        require(actor, "alert.manage", channel.tenant_id)
        if form.is_valid() and "preview" in request.POST:
            shown = _preview(form)
        elif form.is_valid() and _change(request, channel, form):
            return HttpResponseRedirect(reverse("alert_channel", args=[channel.public_id]))
    asked = request.GET.get("state", "")
    state = NotificationState(asked) if asked in NotificationState.values else None
    page = page_of_rows(notifications(channel, state), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "channel": channel,
        "state": channel_chip(channel),
        "trouble": error_words(channel.last_error, channel.last_status) if channel.last_error else "",
        "pending": pending([channel.pk])[channel.pk],
        "page": page,
        "rows": list(_shown(page.object_list)),
        "states": STATE_WORDS.items(),
        "asked": asked,
        "query": without(request.GET, "page").urlencode(),
        "routes": [conditions_of(route) for route in routes(channel)],
        "form": form,
        "shown": shown or preview(channel.subject, channel.body),
        "mutes": MUTES.items(),
        "may_manage": actor.can("alert.manage", channel.tenant_id),
        "may_operate": actor.can("alert.operate", channel.tenant_id),
    }
    return render_page(request, "studio/pages/alert_channel.html", noun=AlertChannel, title=channel.name, **context)


def _shown(rows: Any) -> Iterator[ShownNotification]:
    for row in rows:
        yield ShownNotification(row, notification_chip(row), notification_note(row))


def _preview(form: ChannelForm) -> Message | None:
    try:
        return preview(form.settings.subject, form.settings.body)
    except InvalidDocument as error:
        form.refuse(error)
        return None


def _change(request: HttpRequest, channel: AlertChannel, form: ChannelForm) -> bool:
    try:
        change_channel(
            actor=actor_of(request),
            channel=channel,
            settings=form.settings,
            destination=form.destination if form.names_destination else None,
        )
    except InvalidDocument as error:
        form.refuse(error)
        return False
    messages.success(request, f"{channel.name} is changed. What waits is sent with the new settings.")
    return True
