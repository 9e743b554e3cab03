"""The page on which a person's password is set by somebody else."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminPasswordWidget

from studio.addresses import address_of
from studio.pages.forms import PageForm, posted
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.errors import NotAllowed, TelemetryError
from tenants.actors import require
from tenants.services.accounts import set_password

__all__ = ["change_password"]


class PasswordForm(PageForm):
    """The new password."""

    places = {"password": "password"}

    password = forms.CharField(
        label="New password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )


@sensitive_post_parameters("password")
def change_password(request: HttpRequest, user_id: int) -> HttpResponse:
    """The person signs in with the new password, and every session of theirs ends."""
    actor = actor_of(request)
    require(actor, "people.manage")
    user = get_object_or_404(User, pk=user_id)
    form = PasswordForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            set_password(actor=actor, user=user, password=form.cleaned_data["password"])
        except NotAllowed:
            raise
        except TelemetryError as error:
            form.refuse(error)
        else:
            messages.success(request, f"{user} signs in with the new password.")
            return HttpResponseRedirect(address_of(user))
    lead = f"Every session of {user} ends. Hand the password over in person."
    context = {"form": form, "lead": lead, "button": "Set the password", "back": address_of(user)}
    return render_page(request, "studio/pages/form.html", noun=User, title="Set password", row=user, **context)
