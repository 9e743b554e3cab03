"""The page on which it is said how a provider is told to erase a person."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from studio.pages.forms import PageForm, posted
from studio.pages.shell import render_page, report_refusal
from studio.people import actor_of
from telemetry.core.errors import Conflict, InvalidDocument
from telemetry.models import ProviderKind, ProviderRecord
from telemetry.selectors.providers import provider_by_id
from telemetry.services.erasure.accesses import access_kind, erasure_access, set_erasure_access
from tenants.actors import require

__all__ = ["erasure_access_page"]

# The settings of each kind, as fields: name, label and help.
_FIELDS: Final = {
    ProviderKind.POSTHOG: (
        ("projectId", "Project id", "The number in the address of the project."),
        ("host", "Host", "Empty: https://us.posthog.com. In Europe https://eu.posthog.com."),
    ),
    ProviderKind.SEGMENT: (
        ("host", "Host", "Empty: https://api.segmentapis.com. In Europe https://eu1.api.segmentapis.com."),
    ),
    ProviderKind.INTERNAL: (("tenant", "Tenant", "The tenant's slug at the other studio."),),
}


class AccessForm(PageForm):
    """Settings of the provider's kind, and a credential that is never shown again."""

    places = {"settings.host": "host", "settings": "settings", "credential": "credential"}

    def __init__(self, *args: Any, kind: ProviderKind, credential_label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._names = [name for name, _, _ in _FIELDS[kind]]
        for name, label, help_text in _FIELDS[kind]:
            self.fields[name] = forms.CharField(
                label=label, help_text=help_text, required=False, widget=UnfoldAdminTextInputWidget()
            )
        self.fields["credential"] = forms.CharField(
            label=credential_label, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        )

    def settings(self) -> dict[str, str]:
        """What was typed in; what is empty is left to the kind."""
        return {name: text for name in self._names if (text := self.cleaned_data[name].strip())}


def erasure_access_page(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """The form, or once it is sent the provider's page."""
    actor, provider = actor_of(request), provider_by_id(provider_id)
    require(actor, "provider.manage", provider.tenant_id)
    back = reverse("provider", args=[provider.public_id])
    kind = access_kind(provider.kind)
    if kind is None:
        report_refusal(request, Conflict("this kind of provider takes no access of its own for erasing"))
        return HttpResponseRedirect(back)
    access = erasure_access(provider)
    form = AccessForm(
        posted(request),
        initial={} if access is None else access.settings,
        kind=ProviderKind(provider.kind),
        credential_label=kind[0].credential_label,
    )
    if request.method == "POST" and form.is_valid():
        try:
            set_erasure_access(
                actor=actor,
                provider=provider,
                settings=form.settings(),
                credential=form.cleaned_data["credential"],
            )
        except InvalidDocument as error:
            form.refuse(error)
        else:
            messages.success(request, f"{provider.name} is told of erasures from now on.")
            return HttpResponseRedirect(back)
    context: dict[str, Any] = {
        "form": form,
        "button": "Save",
        "back": back,
        "lead": f"With what events are sent with, nobody can be erased there. This is used for that alone. "
        f"{kind[0].leaves}".strip(),
    }
    return render_page(
        request, "studio/pages/form.html", noun=ProviderRecord, title=f"Erasing at {provider.name}", **context
    )
