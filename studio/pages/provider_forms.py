"""Forms in which providers are connected and changed."""

from typing import Any, Final, cast

from django import forms
from django.db.models import QuerySet
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from studio.pages.forms import PageForm
from telemetry.core.enums import PrivacyLevel
from telemetry.models import ProviderKind, ProviderRecord
from telemetry.services.providers import LONGEST_NAME
from tenants.models import Installation

__all__ = ["ConnectForm", "SettingsForm", "address_setting", "settings_of"]

_ADDRESS: Final = {
    ProviderKind.POSTHOG: "host",
    ProviderKind.SEGMENT: "host",
    ProviderKind.OPENTELEMETRY: "endpoint",
    ProviderKind.INTERNAL: "url",
    ProviderKind.WEBHOOK: "url",
}


def address_setting(kind: str) -> str:
    """The name of the setting that says where events go."""
    return _ADDRESS[ProviderKind(kind)]


def settings_of(kind: str, address: str, header: str) -> dict[str, str]:
    """What was typed in as the kind's settings; what is empty is left to the kind."""
    settings = {address_setting(kind): address.strip()}
    if kind == ProviderKind.OPENTELEMETRY:
        settings["header"] = header.strip()
    return {name: value for name, value in settings.items() if value}


class SettingsForm(PageForm):
    """Where events go, under which credential, and up to which level."""

    places = {
        r"settings\.header": "header",
        r"settings": "address",
        "credential": "credential",
        "name": "name",
    }

    address = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Such as https://hooks.example.com/events. Empty: PostHog's and Segment's own address.",
    )
    header = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="For OpenTelemetry: the header in which the credential is sent. Empty: Authorization.",
    )
    credential = forms.CharField(
        required=False,
        strip=True,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Project key, write key, value of the header, API key or signing secret. It is never shown again.",
    )
    highest_level = forms.ChoiceField(
        label="Events up to",
        choices=[(level.value, level.value) for level in PrivacyLevel],
        initial=PrivacyLevel.PII.value,
        widget=UnfoldAdminSelectWidget(),
        help_text="Events of a higher privacy level stay here. What goes out is redacted in any case.",
    )

    @classmethod
    def initial_of(cls, provider: ProviderRecord) -> dict[str, Any]:
        """What the provider has now; its credential is none of it."""
        return {
            "address": provider.settings.get(address_setting(provider.kind), ""),
            "header": provider.settings.get("header", ""),
            "highest_level": provider.highest_level,
        }


class ConnectForm(SettingsForm):
    """A new provider."""

    field_order = ("installation", "kind", "name", "address", "header", "credential", "highest_level")

    installation = forms.ModelChoiceField(Installation.objects.none(), widget=UnfoldAdminSelectWidget())
    kind = forms.ChoiceField(choices=ProviderKind.choices, widget=UnfoldAdminSelectWidget())
    name = forms.CharField(
        max_length=LONGEST_NAME, widget=UnfoldAdminTextInputWidget(), help_text="Such as Product analytics."
    )

    def __init__(self, *args: Any, installations: QuerySet[Installation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Installation]", self.fields["installation"]).queryset = installations
