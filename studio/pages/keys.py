"""Pages on which keys are issued, rotated and revoked."""

from datetime import timedelta
from typing import Any, Final, cast

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from studio.addresses import address_of, list_address
from studio.pages.forms import PageForm, posted
from studio.pages.scope import installations_where
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.errors import NotAllowed, TelemetryError
from tenants.actors import Actor, require
from tenants.models import ApiKey, Installation, KeyKind
from tenants.roles import Scope
from tenants.services import keys as services

__all__ = [
    "ACTIVE",
    "EXPIRED",
    "EXPIRES_SOON",
    "REVOKED",
    "SOON",
    "STATES",
    "is_usable",
    "issue",
    "may_end",
    "revoke",
    "rotate",
    "state_of",
]

ACTIVE, EXPIRES_SOON, EXPIRED, REVOKED = STATES = ("active", "expires soon", "expired", "revoked")

# Two weeks: time for a release of the app that holds the key.
SOON: Final = timedelta(days=14)

SCOPE_CHOICES: Final = [
    (Scope.CONFIG_READ.value, "config:read - fetch the effective config"),
    (Scope.INGEST.value, "ingest - send events, read nothing back"),
    (Scope.CONFIG_SECRET.value, "config:secret - fetch the pseudonym key too; for servers only"),
    (Scope.CONFIG_PREVIEW.value, "config:preview - fetch an override that is up for review, by its number"),
]
DAYS_MAXIMUM: Final = 3650


def state_of(key: ApiKey) -> str:
    """One of ``STATES``."""
    if key.revoked_at is not None:
        return REVOKED
    if key.expires_at is None:
        return ACTIVE
    left = key.expires_at - timezone.now()
    if left <= timedelta(0):
        return EXPIRED
    return EXPIRES_SOON if left <= SOON else ACTIVE


def is_usable(key: ApiKey) -> bool:
    """Whether calls with it are answered."""
    return state_of(key) in (ACTIVE, EXPIRES_SOON)


def may_end(actor: Actor, key: ApiKey) -> bool:
    """Whether the service would let the actor revoke it."""
    if key.kind == KeyKind.USER:
        return key.user_id == actor.user_id or actor.can("people.manage")
    return actor.can("key.manage", key.tenant_id)


class IssueForm(PageForm):
    """What a new key is for."""

    places = {"name": "name", "scopes": "scopes", "expires_at": "days"}

    installation = forms.ModelChoiceField(Installation.objects.none(), widget=UnfoldAdminSelectWidget())
    name = forms.CharField(widget=UnfoldAdminTextInputWidget(), help_text="Who uses it, such as Backend or Mobile app.")
    scopes = forms.MultipleChoiceField(
        choices=SCOPE_CHOICES, widget=UnfoldAdminCheckboxSelectMultipleWidget(), initial=[Scope.CONFIG_READ.value]
    )
    days = forms.IntegerField(
        label="Expires after (days)",
        required=False,
        min_value=1,
        max_value=DAYS_MAXIMUM,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Empty: never. You can revoke it at any time.",
    )

    def __init__(self, *args: Any, installations: QuerySet[Installation], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Installation]", self.fields["installation"]).queryset = installations


def issue(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the new key: shown now and never again."""
    actor = actor_of(request)
    if not actor.can_somewhere("key.manage"):
        raise NotAllowed("your role does not include the ability key.manage", ability="key.manage")
    chosen = {"installation": request.GET.get("installation")}
    form = IssueForm(posted(request), initial=chosen, installations=installations_where(actor, "key.manage"))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        expires_at = timezone.now() + timedelta(days=data["days"]) if data["days"] else None
        try:
            issued = services.issue_key(
                actor=actor,
                installation=data["installation"],
                name=data["name"],
                scopes=[Scope(scope) for scope in data["scopes"]],
                expires_at=expires_at,
            )
        except NotAllowed:
            raise
        except TelemetryError as error:
            form.refuse(error)
        else:
            return _show(request, issued)
    context: dict[str, Any] = {"form": form, "back": list_address(ApiKey), "button": "Issue key"}
    return render_page(request, "studio/pages/form.html", noun=ApiKey, title="Issue a key", **context)


def rotate(request: HttpRequest, key_id: int) -> HttpResponse:
    """A new key in place of the old one, which goes on working for a day."""
    actor, key = actor_of(request), _key(key_id)
    require(actor, "key.manage", key.tenant_id)
    if request.method == "POST":
        return _show(request, services.rotate_key(actor=actor, key=key))
    hours = int(services.ROTATION_OVERLAP.total_seconds() // 3600)
    context = {
        "text": f"You get a new key with the same name and scopes. The old one works for {hours} hours more, so that "
        "you can roll the new one out.",
        "button": "Issue the new key",
        "back": address_of(key),
        "tone": "primary",
    }
    return render_page(
        request, "studio/pages/confirm.html", noun=ApiKey, title=f"Rotate {key.name}", row=key, **context
    )


def revoke(request: HttpRequest, key_id: int) -> HttpResponse:
    """The key is refused from the next call on."""
    actor, key = actor_of(request), _key(key_id)
    if not may_end(actor, key):
        raise NotAllowed("your role does not include the ability key.manage", ability="key.manage")

    def deed() -> str:
        services.revoke_key(actor=actor, key=key)
        return f"The key {key.name} is revoked."

    return confirm(
        request,
        noun=ApiKey,
        row=key,
        title=f"Revoke {key.name}",
        text=f"Every call with the key {key.name} ({key.lookup}) is refused from the next one on. This cannot be taken "
        "back; to replace a key without a gap, rotate it.",
        button="Revoke the key",
        back=address_of(key),
        deed=deed,
    )


def _key(key_id: int) -> ApiKey:
    rows = ApiKey.objects.select_related("installation__tenant", "installation__app", "user")
    return get_object_or_404(rows, pk=key_id)


def _show(request: HttpRequest, issued: services.IssuedKey) -> HttpResponse:
    address = request.build_absolute_uri("/api/v1/config")
    context = {
        "key": issued.key,
        "text": issued.text,
        "curl": f'curl -i -H "Authorization: Bearer {issued.text}" {address}',
        "reads_config": Scope.CONFIG_READ in issued.key.scopes,
        "poll_seconds": settings.STUDIO_CONFIG_POLL_SECONDS,
        "back": address_of(issued.key),
    }
    return render_page(
        request, "studio/pages/key_issued.html", noun=ApiKey, title="Your new key", row=issued.key, **context
    )
