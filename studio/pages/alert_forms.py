"""Forms in which alert channels and routes are opened and changed."""

import re
from typing import Any, cast

from django import forms
from django.db.models import Model, QuerySet
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from studio.pages.forms import PageForm
from telemetry.core.enums import AnomalyAction, Environment
from telemetry.models import AlertChannel, AlertRoute, ChannelKind, Pace
from telemetry.services.alerts.channels import LONGEST_NAME, MOST_PER_HOUR, QUIET_MINUTES, ChannelSettings
from telemetry.services.alerts.destinations import Destination
from telemetry.services.alerts.routes import Conditions
from telemetry.services.alerts.wording import BODY, PLACES, SUBJECT
from tenants.models import App, Installation, Tenant

__all__ = ["ChannelForm", "NewChannelForm", "RouteForm"]

_PLACES_HELP = "Places: " + ", ".join(f"{{{place}}}" for place in PLACES) + ". Empty: the standard one."


class ChannelForm(PageForm):
    """How a channel is told, and where it leads."""

    places = {
        "addresses": "addresses",
        "url": "url",
        "secret": "secret",
        "name": "name",
        "kind": "kind",
        "subject": "subject",
        "body": "body",
        "quietMinutes": "quiet_minutes",
        "mostPerHour": "most_per_hour",
        "pace": "pace",
        "digestHour": "digest_hour",
    }

    addresses = forms.CharField(
        label="E-mail addresses",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="For e-mail: one on each line. They are never shown again.",
    )
    url = forms.CharField(
        label="Address of the hook",
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
        help_text="For Slack and web hooks: such as https://hooks.example.com/alerts. It is never shown again.",
    )
    secret = forms.CharField(
        label="Signing secret",
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="For web hooks: at least 16 characters, under which messages are signed.",
    )
    pace = forms.ChoiceField(
        label="Told",
        choices=Pace.choices,
        initial=Pace.AT_ONCE,
        widget=UnfoldAdminSelectWidget(),
        help_text="Once an hour or a day: in a summary with counts for each installation.",
    )
    digest_hour = forms.IntegerField(
        label="Hour of the daily summary (UTC)",
        min_value=0,
        max_value=23,
        initial=7,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    quiet_minutes = forms.IntegerField(
        label="Quiet time (minutes)",
        min_value=0,
        max_value=QUIET_MINUTES,
        initial=60,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="A rule that opens again within this time is told only if it lasts until then.",
    )
    most_per_hour = forms.IntegerField(
        label="Most messages an hour",
        min_value=1,
        max_value=MOST_PER_HOUR,
        initial=20,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="What comes beyond is told in one summary at the full hour.",
    )
    tells_end = forms.BooleanField(
        label="Tell when an incident is resolved", required=False, initial=True, widget=UnfoldBooleanWidget()
    )
    tells_acknowledgement = forms.BooleanField(
        label="Tell when somebody acknowledges one", required=False, widget=UnfoldBooleanWidget()
    )
    subject = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": SUBJECT}),
        help_text=_PLACES_HELP,
    )
    body = forms.CharField(
        label="Text",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 6, "placeholder": BODY}),
    )

    @classmethod
    def initial_of(cls, channel: AlertChannel) -> dict[str, Any]:
        """What the channel has now; where it leads is none of it."""
        names = ("pace", "digest_hour", "quiet_minutes", "most_per_hour", "tells_end", "tells_acknowledgement")
        return {name: getattr(channel, name) for name in (*names, "subject", "body")}

    @property
    def settings(self) -> ChannelSettings:
        """What was entered, but for where it leads; the form is valid."""
        data = self.cleaned_data
        return ChannelSettings(
            subject=data["subject"],
            body=data["body"].replace("\r\n", "\n"),
            tells_end=data["tells_end"],
            tells_acknowledgement=data["tells_acknowledgement"],
            quiet_minutes=data["quiet_minutes"],
            most_per_hour=data["most_per_hour"],
            pace=data["pace"],
            digest_hour=data["digest_hour"],
        )

    @property
    def destination(self) -> Destination:
        """Where it was said to lead; the form is valid."""
        data = self.cleaned_data
        addresses = tuple(part for part in re.split(r"[\s,;]+", data["addresses"]) if part)
        return Destination(addresses=addresses, url=data["url"], secret=data["secret"])

    @property
    def names_destination(self) -> bool:
        """Whether anything was entered of where it leads; the form is valid."""
        return self.destination != Destination()


class NewChannelForm(ChannelForm):
    """A new channel."""

    field_order = ("tenant", "name", "kind", "addresses", "url", "secret")

    tenant = forms.ModelChoiceField(Tenant.objects.none(), widget=UnfoldAdminSelectWidget())
    name = forms.CharField(max_length=LONGEST_NAME, widget=UnfoldAdminTextInputWidget(), help_text="Such as On call.")
    kind = forms.ChoiceField(choices=ChannelKind.choices, widget=UnfoldAdminSelectWidget())

    def __init__(self, *args: Any, tenants: QuerySet[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Tenant]", self.fields["tenant"]).queryset = tenants


class _ChannelChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # generic for type checkers only
    """Channels of several tenants may have one name."""

    def label_from_instance(self, obj: Model) -> str:
        """With its tenant."""
        channel = cast("AlertChannel", obj)
        return f"{channel.tenant.slug} · {channel}"


class RouteForm(PageForm):
    """Which incidents go to which channel; what is empty fits everything."""

    places = {
        "isFallback": "is_fallback",
        "installation": "installation",
        "event": "event",
        "rule": "rule",
        "channel": "channel",
    }

    channel = _ChannelChoice(AlertChannel.objects.none(), widget=UnfoldAdminSelectWidget())
    is_fallback = forms.BooleanField(
        label="Everything that no other route takes",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="Then nothing else is filled in.",
    )
    event = forms.CharField(
        required=False,
        max_length=201,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Such as checkout.paid, or checkout.* for every event that begins so.",
    )
    rule = forms.CharField(
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text="A rule's name, or threshold:durationMs for the bounds of a property.",
    )
    app = forms.ModelChoiceField(App.objects.none(), required=False, widget=UnfoldAdminSelectWidget())
    environment = forms.ChoiceField(
        required=False,
        choices=[("", "any"), *((each.value, each.value) for each in Environment)],
        widget=UnfoldAdminSelectWidget(),
    )
    installation = forms.ModelChoiceField(Installation.objects.none(), required=False, widget=UnfoldAdminSelectWidget())
    action = forms.ChoiceField(
        label="Action of the rule besides alert",
        required=False,
        choices=[("", "any"), *((each.value, each.value) for each in AnomalyAction if each is not AnomalyAction.ALERT)],
        widget=UnfoldAdminSelectWidget(),
    )

    def __init__(
        self,
        *args: Any,
        channels: QuerySet[AlertChannel],
        installations: QuerySet[Installation],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[AlertChannel]", self.fields["channel"]).queryset = channels
        cast("forms.ModelChoiceField[Installation]", self.fields["installation"]).queryset = installations
        cast("forms.ModelChoiceField[App]", self.fields["app"]).queryset = App.objects.order_by("slug")

    @classmethod
    def initial_of(cls, route: AlertRoute) -> dict[str, Any]:
        """What the route says now."""
        names = ("channel", "is_fallback", "event", "rule", "app", "environment", "installation", "action")
        return {name: getattr(route, name) for name in names}

    @property
    def conditions(self) -> Conditions:
        """What was entered; the form is valid."""
        data = self.cleaned_data
        return Conditions(
            is_fallback=data["is_fallback"],
            installation=data["installation"],
            app=data["app"],
            environment=Environment(data["environment"]) if data["environment"] else None,
            event=data["event"].strip(),
            rule=data["rule"].strip(),
            action=AnomalyAction(data["action"]) if data["action"] else None,
        )
