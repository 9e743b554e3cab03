"""Access requests: exports of what is stored about a person, asked for, listed and downloaded."""

from functools import partial
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from studio.pages.erasure_words import export_chip
from studio.pages.erasures import SubjectForm
from studio.pages.forms import posted
from studio.pages.queries import page_of_rows, without
from studio.pages.scope import tenants_where
from studio.pages.shell import render_page, report_refusal
from studio.people import actor_of
from studio.wakeups import wake_collectors
from telemetry.core.errors import Conflict, InvalidDocument
from telemetry.models import AccessExport, ExportState
from telemetry.selectors.erasure import access_export, access_exports
from telemetry.services.access.requests import download_access, request_access
from tenants.actors import require_somewhere

__all__ = ["access_page", "download", "new_access"]

PAGE_SIZE: Final = 50


class ShownExport(NamedTuple):
    """A row of the list."""

    row: AccessExport
    state: SafeString
    is_ready: bool


def access_page(request: HttpRequest) -> HttpResponse:
    """The exports of the tenants in which the person may handle them."""
    actor = actor_of(request)
    require_somewhere(actor, "access.handle")
    page = page_of_rows(access_exports(actor), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "page": page,
        "rows": [ShownExport(row, export_chip(row), row.state == ExportState.READY) for row in page.object_list],
        "query": without(request.GET, "page").urlencode(),
    }
    return render_page(
        request,
        "studio/pages/access_exports.html",
        noun=AccessExport,
        title="Access requests",
        page_title="",
        **context,
    )


@sensitive_post_parameters("subjects")
def new_access(request: HttpRequest) -> HttpResponse:
    """The form, or once it is sent the list with the new exports."""
    actor = actor_of(request)
    require_somewhere(actor, "access.handle")
    form = SubjectForm(posted(request), tenants=tenants_where(actor, "access.handle"))
    if request.method == "POST" and form.is_valid():
        try:
            rows = request_access(
                actor=actor,
                subjects=form.ids(),
                tenants=form.chosen(),
                reference=form.cleaned_data["reference"],
            )
        except InvalidDocument as error:
            form.refuse(error)
        else:
            transaction.on_commit(partial(wake_collectors, [row.pk for row in rows]))
            messages.success(request, "What is stored about the person is being put together.")
            return HttpResponseRedirect(reverse("access_exports"))
    if form.is_bound:
        form.forget()
    context: dict[str, Any] = {
        "form": form,
        "button": "Put it together",
        "back": reverse("access_exports"),
        "lead": "A file with everything that is stored about the person, as JSON. It can be downloaded for some days; "
        "each download is in the audit log.",
    }
    return render_page(request, "studio/pages/form.html", noun=AccessExport, title="Export a person's data", **context)


@require_POST
def download(request: HttpRequest, export_id: UUID) -> HttpResponseBase:
    """The file; what cannot be downloaded any more says so in the list."""
    actor = actor_of(request)
    export = access_export(actor, export_id)
    try:
        body = download_access(actor=actor, export=export)
    except Conflict as error:
        report_refusal(request, error)
        return HttpResponseRedirect(reverse("access_exports"))
    headers = {"Content-Disposition": f'attachment; filename="access-{export.public_id}.json"'}
    return StreamingHttpResponse(body, content_type="application/json", headers=headers)
