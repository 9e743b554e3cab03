"""Connecting a provider, and what is done to one."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from studio.pages.forms import posted
from studio.pages.provider_forms import ConnectForm, settings_of
from studio.pages.provider_words import error_words
from studio.pages.scope import installations_where
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from studio.wakeups import wake_providers
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import Conflict, InvalidDocument
from telemetry.models import ProviderKind, ProviderRecord
from telemetry.selectors.providers import provider_by_id
from telemetry.services import providers as services
from tenants.actors import require, require_somewhere

__all__ = ["connect", "remove", "resend", "resend_one", "switch", "try_out"]


def connect(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the new provider's page."""
    actor = actor_of(request)
    require_somewhere(actor, "provider.manage")
    installations = installations_where(actor, "provider.manage")
    form = ConnectForm(posted(request), installations=installations)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            provider = services.connect_provider(
                actor=actor,
                installation=data["installation"],
                name=data["name"],
                kind=ProviderKind(data["kind"]),
                settings=settings_of(data["kind"], data["address"], data["header"]),
                credential=data["credential"],
                highest_level=PrivacyLevel(data["highest_level"]),
            )
        except (InvalidDocument, Conflict) as error:
            form.refuse(error)
        else:
            messages.success(request, f"{provider.name} is connected: it gets every event from now on. Try it.")
            return HttpResponseRedirect(_page(provider))
    context: dict[str, Any] = {
        "form": form,
        "button": "Connect",
        "back": reverse("providers"),
        "lead": "The installation's stored events are passed on, redacted and with subjects as pseudonyms.",
    }
    return render_page(request, "studio/pages/form.html", noun=ProviderRecord, title="Connect a provider", **context)


@require_POST
def try_out(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """One made-up event is sent, and the page says how that went."""
    provider = provider_by_id(provider_id)
    sending = services.try_provider(actor=actor_of(request), provider=provider)
    if sending.trouble is None:
        messages.success(request, f"{provider.name} took the event telemetry.connection_test.")
    else:
        messages.error(request, f"{error_words(sending.error, sending.status)}.")
    return HttpResponseRedirect(_page(provider))


@require_POST
def switch(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Off becomes on, and on becomes off."""
    provider = provider_by_id(provider_id)
    is_enabled = not provider.is_enabled
    services.switch_provider(actor=actor_of(request), provider=provider, is_enabled=is_enabled)
    _wake(provider)
    said = "gets events again" if is_enabled else "gets no events until you switch it on again"
    messages.success(request, f"{provider.name} {said}.")
    return HttpResponseRedirect(_page(provider))


def resend(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Every dead letter waits again."""
    actor, provider = actor_of(request), provider_by_id(provider_id)
    require(actor, "provider.operate", provider.tenant_id)

    def deed() -> str:
        count = services.resend_dead_letters(actor=actor, provider=provider)
        _wake(provider)
        return f"{count} dead letters wait to be sent again."

    return confirm(
        request,
        noun=ProviderRecord,
        row=None,
        title=f"Send the dead letters of {provider.name} again",
        text="All of them wait as if they were new. Events that are no longer stored are passed over.",
        button="Send again",
        back=_page(provider),
        deed=deed,
        tone="primary",
    )


@require_POST
def resend_one(request: HttpRequest, provider_id: UUID, delivery_id: int) -> HttpResponse:
    """One dead letter waits again."""
    provider = provider_by_id(provider_id)
    count = services.resend_dead_letters(actor=actor_of(request), provider=provider, delivery_id=delivery_id)
    _wake(provider)
    said = "The dead letter waits to be sent again." if count else "That is no dead letter any more."
    messages.success(request, said)
    return HttpResponseRedirect(_page(provider))


def remove(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Provider, credential and deliveries are gone."""
    actor, provider = actor_of(request), provider_by_id(provider_id)
    require(actor, "provider.manage", provider.tenant_id)

    def deed() -> str:
        waiting = services.remove_provider(actor=actor, provider=provider)
        return f"{provider.name} is removed; {waiting} events still waited for it."

    return confirm(
        request,
        noun=ProviderRecord,
        row=None,
        title=f"Remove {provider.name}",
        text="Its credential, what waits for it and its dead letters are gone for good. Events that are stored here "
        "stay. To stop for a while, switch it off instead.",
        button="Remove the provider",
        back=reverse("providers") if request.method == "POST" else _page(provider),
        deed=deed,
    )


def _page(provider: ProviderRecord) -> str:
    return reverse("provider", args=[provider.public_id])


def _wake(provider: ProviderRecord) -> None:
    transaction.on_commit(partial(wake_providers, [provider.pk]))
