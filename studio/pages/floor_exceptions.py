"""Pages on which a tenant is freed from a limit of the floor for a while, and on which that ends early."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.formats import date_format
from unfold.widgets import UnfoldAdminSelectWidget

from studio.addresses import address_of, list_address
from studio.admin.fields import LinesField, NumberField, WholeNumberField, WordField, without_blanks
from studio.pages.forms import PageForm, instant_field, posted, summary_field
from studio.pages.shell import confirm, render_page
from studio.people import actor_of
from telemetry.core.codec import convert_document
from telemetry.core.config import FloorException
from telemetry.core.enums import Environment, FloorLimit, FloorStrategy, PrivacyLevel
from telemetry.core.errors import NotAllowed, NotFound, TelemetryError
from tenants.actors import require
from tenants.floor_selectors import floor_exception
from tenants.models import App, FloorExceptionRecord, Installation, Tenant
from tenants.selectors import apps, installation_by_public_id, installation_of, tenants_in_context
from tenants.services.floor_exceptions import LONGEST, grant_exception, revoke_exception

__all__ = ["LIMITS", "grant", "revoke"]

LIMITS: Final = {
    FloorLimit.MINIMUM_REDACTION: "least redaction of a level",
    FloorLimit.MAXIMUM_RETENTION_DAYS: "longest retention of a level",
    FloorLimit.FORCED_OFF: "forced off",
    FloorLimit.FORCED_ON: "forced on",
    FloorLimit.MINIMUM_RATE: "lowest sampling rate",
    FloorLimit.MAXIMUM_RATE: "highest sampling rate",
}


class GrantForm(PageForm):
    """Who is freed from what, why, and until when."""

    places = {
        "level": "level",
        "events": "events",
        "redaction": "redaction",
        "retentionDays": "retention_days",
        "samplingRate": "sampling_rate",
        "reason": "reason",
        "starts_at": "starts_at",
        "ends_at": "ends_at",
    }

    tenant: Any = forms.ModelChoiceField(Tenant.objects.none(), widget=UnfoldAdminSelectWidget())
    app: Any = forms.ModelChoiceField(App.objects.none(), widget=UnfoldAdminSelectWidget())
    environment = WordField(Environment, inherited="all environments")
    limit = forms.ChoiceField(
        label="Freed from",
        choices=[(limit.value, words) for limit, words in LIMITS.items()],
        widget=UnfoldAdminSelectWidget(),
    )
    level = WordField(
        PrivacyLevel,
        label="Level",
        inherited="none",
        help_text="For the limits that go by level. Events that protect more stay bound.",
    )
    events = LinesField(
        label="Only these events",
        help_text="One per line: a name, or a name and version. Empty: all of the level. Needed for what is forced on "
        "or off.",
    )
    redaction = WordField(FloorStrategy, label="Instead, hidden at least by", inherited="what tenant and spec say")
    retention_days = WholeNumberField(
        label="Instead, kept at most (days)", min_value=1, help_text="Empty: as long as tenant and spec say."
    )
    sampling_rate = NumberField(label="Instead, share kept from 0 to 1", help_text="Empty: any.")
    reason = summary_field("Why?")
    starts_at = instant_field("From (UTC)", help_text="Empty: now.")
    ends_at = instant_field(
        "Until (UTC)", required=True, help_text=f"At most {LONGEST.days} days. The floor holds again from then on."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].queryset = tenants_in_context()  # type: ignore[attr-defined]  # a field of rows
        self.fields["app"].queryset = apps()  # type: ignore[attr-defined]  # a field of rows

    def exception(self) -> FloorException:
        """What the form frees; raises ``InvalidDocument``."""
        data = self.cleaned_data
        document = {
            "limit": data["limit"],
            "level": data["level"],
            "events": data["events"],
            "redaction": data["redaction"],
            "retentionDays": data["retention_days"],
            "samplingRate": data["sampling_rate"],
        }
        return convert_document(without_blanks(document), FloorException, what="floor exception")

    def installation(self) -> Installation | None:
        """The one environment that is meant, if one is; raises ``NotFound``."""
        data = self.cleaned_data
        if not data["environment"]:
            return None
        return installation_of(data["tenant"], data["app"], Environment(data["environment"]))


def grant(request: HttpRequest) -> HttpResponse:
    """The form, and once it is sent the exception."""
    actor = actor_of(request)
    require(actor, "floor.except")
    sent = posted(request)
    form = GrantForm(sent, initial=_asked_for(request))
    if sent is not None and form.is_valid():
        data = form.cleaned_data
        try:
            record = grant_exception(
                actor=actor,
                tenant=data["tenant"],
                app=data["app"],
                installation=form.installation(),
                exception=form.exception(),
                reason=data["reason"],
                starts_at=data["starts_at"],
                ends_at=data["ends_at"],
            )
        except NotAllowed:
            raise
        except NotFound:
            form.add_error("environment", "The app does not run at this tenant in this environment.")
        except TelemetryError as error:
            form.refuse(error)
        else:
            return HttpResponseRedirect(address_of(record))
    context: dict[str, Any] = {
        "form": form,
        "back": list_address(FloorExceptionRecord),
        "button": "Grant it",
        "lead": "One limit of the privacy floor does not hold for an app at a tenant, for a while. What the spec says "
        "always holds.",
    }
    title = "Grant an exception"
    return render_page(request, "studio/pages/form.html", noun=FloorExceptionRecord, title=title, **context)


def revoke(request: HttpRequest, exception_id: int) -> HttpResponse:
    """The floor holds again at once."""
    actor = actor_of(request)
    require(actor, "floor.except")
    try:
        record = floor_exception(exception_id)
    except NotFound:
        raise Http404 from None

    def deed() -> str:
        revoke_exception(actor=actor, record=record)
        return f"The exception for {record.app} at {record.tenant} is revoked. The floor holds there again."

    until = date_format(record.ends_at, "j M Y, H:i")
    return confirm(
        request,
        noun=FloorExceptionRecord,
        row=record,
        title="Revoke the exception",
        text=f"The floor holds again for {record.app} at {record.tenant} with the next config that apps fetch, not "
        f"only from {until} UTC on. This cannot be taken back; a new exception can be granted.",
        button="Revoke it",
        back=address_of(record),
        deed=deed,
    )


def _asked_for(request: HttpRequest) -> dict[str, Any]:
    """The place from whose page one comes."""
    try:
        found = installation_by_public_id(UUID(request.GET.get("installation", "")))
    except (ValueError, NotFound):
        return {}
    return {"tenant": found.tenant_id, "app": found.app_id, "environment": found.environment}
