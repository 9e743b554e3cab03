"""One provider: how it does, what it is owed, what it did not take, and its settings."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from studio.addresses import address_of
from studio.pages.forms import posted
from studio.pages.provider_forms import SettingsForm, settings_of
from studio.pages.provider_words import error_words, state_chip
from studio.pages.queries import page_of_rows, without
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import InvalidDocument
from telemetry.models import DeliveryRecord, DeliveryState, ProviderRecord
from telemetry.selectors.providers import deliveries, owed, provider_by_id
from telemetry.services.providers import change_provider
from tenants.actors import require

__all__ = ["provider_page"]

PAGE_SIZE: Final = 25
LAST: Final = 10


class ShownDelivery(NamedTuple):
    """A dead letter with what was wrong."""

    row: DeliveryRecord
    trouble: str


def provider_page(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """The provider; sent, its new settings."""
    actor, provider = actor_of(request), provider_by_id(provider_id)
    require(actor, "view", provider.tenant_id)
    form = SettingsForm(posted(request), initial=SettingsForm.initial_of(provider))
    if request.method == "POST":
        require(actor, "provider.manage", provider.tenant_id)
        if form.is_valid() and _change(request, provider, form):
            return HttpResponseRedirect(reverse("provider", args=[provider.public_id]))
    page = page_of_rows(deliveries(provider, DeliveryState.DEAD), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "provider": provider,
        "state": state_chip(provider),
        "where": installation_words(provider.installation),
        "where_address": address_of(provider.installation),
        "trouble": error_words(provider.last_error, provider.last_status) if provider.last_error else "",
        "owed": owed([provider.pk])[provider.pk],
        "page": page,
        "dead": list(_dead(page.object_list)),
        "query": without(request.GET, "page").urlencode(),
        "last": deliveries(provider, DeliveryState.DELIVERED)[:LAST],
        "form": form,
        "may_manage": actor.can("provider.manage", provider.tenant_id),
        "may_operate": actor.can("provider.operate", provider.tenant_id),
    }
    return render_page(request, "studio/pages/provider.html", noun=ProviderRecord, title=provider.name, **context)


def _dead(rows: Any) -> Iterator[ShownDelivery]:
    for row in rows:
        yield ShownDelivery(row, error_words(row.error, row.status))


def _change(request: HttpRequest, provider: ProviderRecord, form: SettingsForm) -> bool:
    data = form.cleaned_data
    try:
        change_provider(
            actor=actor_of(request),
            provider=provider,
            settings=settings_of(provider.kind, data["address"], data["header"]),
            credential=data["credential"],
            highest_level=PrivacyLevel(data["highest_level"]),
        )
    except InvalidDocument as error:
        form.refuse(error)
        return False
    messages.success(request, f"{provider.name} is changed. What waits is sent with the new settings.")
    return True
