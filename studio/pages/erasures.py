"""Erasure requests: the list of them, and the form in which one is entered."""

from collections.abc import Iterator
from functools import partial
from typing import Any, Final, NamedTuple, cast

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from studio.pages.erasure_words import due_words, state_chip
from studio.pages.forms import PageForm, instant_field, posted
from studio.pages.queries import page_of_rows, without
from studio.pages.scope import tenants_where
from studio.pages.shell import render_page
from studio.people import actor_of
from studio.wakeups import wake_erasers
from telemetry.core.errors import InvalidDocument
from telemetry.models import ErasureRequest
from telemetry.selectors.erasure import count_overdue, erasure_requests
from telemetry.services.erasure.people import are_found_in_texts
from telemetry.services.erasure.requests import request_erasure
from tenants.actors import require_somewhere
from tenants.models import Tenant

__all__ = ["SubjectForm", "erasures_page", "new_erasure"]

PAGE_SIZE: Final = 50
# Does not say which: what is stored with the session, until it is shown, would tell how somebody is called.
NOT_IN_TEXTS: Final = (
    "An id is too short to be told from other words and numbers: it is found as a whole value, not inside longer texts."
)


class SubjectForm(PageForm):
    """Who it is, and where to look. What was typed for the person is never shown again."""

    places = {"subjects": "subjects", "tenants": "tenants", "reference": "reference", "endsAt": "ends_at"}

    subjects = forms.CharField(
        label="Ids of the person",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="Of users, sessions or devices, exactly as the app sends them, one per line. They are not stored: "
        "pseudonyms are made of them under every key that a tenant has had. One of less than 6 characters, 8 digits "
        "alone or 16 letters alone is not looked for inside longer texts.",
    )
    tenants = forms.MultipleChoiceField(
        label="Look at these tenants",
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text="None chosen: all of these.",
    )
    reference = forms.CharField(
        label="Your reference",
        required=False,
        max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="The number of your own ticket, such as DSR-2041. It is stored: no names.",
    )

    def __init__(self, *args: Any, tenants: QuerySet[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._offered = {tenant.slug: tenant for tenant in tenants}
        offered = cast("forms.MultipleChoiceField", self.fields["tenants"])
        offered.choices = [(tenant.slug, tenant.name) for tenant in self._offered.values()]

    def ids(self) -> list[str]:
        """What was typed, line by line."""
        return [line for line in self.cleaned_data["subjects"].splitlines() if line.strip()]

    def chosen(self) -> list[Tenant]:
        """The tenants to look at."""
        return [self._offered[slug] for slug in self.cleaned_data["tenants"]] or list(self._offered.values())

    def forget(self) -> None:
        """The ids are not in the page that is answered."""
        data = cast("QueryDict", self.data).copy()
        data["subjects"] = ""
        self.data = data


class ErasureForm(SubjectForm):
    """Who is to be erased, and for how long they stay away."""

    ends_at = instant_field(
        "Keep their events away until (UTC)",
        help_text="Empty: for good. Until then events that name the person are not taken in, whoever sends them.",
    )


class ShownErasure(NamedTuple):
    """A row of the list."""

    row: ErasureRequest
    state: SafeString
    due: SafeString
    found: int
    erased: int


def erasures_page(request: HttpRequest) -> HttpResponse:
    """The requests of the tenants in which the person may handle them."""
    actor = actor_of(request)
    require_somewhere(actor, "erasure.handle")
    page = page_of_rows(erasure_requests(actor), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "page": page,
        "rows": list(_shown(list(page.object_list))),
        "query": without(request.GET, "page").urlencode(),
        "overdue": count_overdue(actor, timezone.now().date()),
    }
    return render_page(
        request, "studio/pages/erasures.html", noun=ErasureRequest, title="Erasure", page_title="", **context
    )


@sensitive_post_parameters("subjects")
def new_erasure(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the page of the new request, where it is counted."""
    actor = actor_of(request)
    require_somewhere(actor, "erasure.handle")
    form = ErasureForm(posted(request), tenants=tenants_where(actor, "erasure.handle"))
    if request.method == "POST" and form.is_valid():
        try:
            rows = request_erasure(
                actor=actor,
                subjects=form.ids(),
                tenants=form.chosen(),
                reference=form.cleaned_data["reference"],
                ends_at=form.cleaned_data["ends_at"],
            )
        except InvalidDocument as error:
            form.refuse(error)
        else:
            transaction.on_commit(partial(wake_erasers, [row.pk for row in rows]))
            messages.success(request, "What is stored about the person is being counted. Nothing is erased yet.")
            if not are_found_in_texts(form.ids()):
                messages.warning(request, NOT_IN_TEXTS)
            one = reverse("erasure", args=[rows[0].public_id])
            return HttpResponseRedirect(one if len(rows) == 1 else reverse("erasures"))
    if form.is_bound:
        form.forget()
    context: dict[str, Any] = {
        "form": form,
        "button": "Count what there is",
        "back": reverse("erasures"),
        "lead": "First it is counted what is stored about the person. Nothing is erased before you confirm that.",
    }
    return render_page(request, "studio/pages/form.html", noun=ErasureRequest, title="Erase a person", **context)


def _shown(rows: list[ErasureRequest]) -> Iterator[ShownErasure]:
    today = timezone.now().date()
    for row in rows:
        found, erased = (sum(count for *_, count in counts) for counts in (row.found, row.erased))
        yield ShownErasure(row, state_chip(row), due_words(row, today), found, erased)
