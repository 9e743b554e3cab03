"""How a page of its own stands in the shell."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from studio.admin.site import site
from telemetry.core.errors import Conflict, TelemetryError
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["confirm", "render_page", "report_refusal"]


def render_page(
    request: HttpRequest, template: str, *, noun: type[Model], title: str, row: Model | None = None, **context: Any
) -> HttpResponse:
    """The template inside the shell; ``noun`` and ``row`` say where it belongs, ``title`` is the page's own."""
    request.current_app = site.name  # how Django's admin tells its templates
    shell = site.each_context(request)
    return TemplateResponse(
        request, template, {**shell, "noun": noun._meta, "object": row, "title": title, "page_title": title, **context}
    )


def confirm(
    request: HttpRequest,
    *,
    noun: type[Model],
    row: Model | None,
    title: str,
    text: str,
    button: str,
    back: str,
    deed: Callable[[], str],
    tone: str = "danger",
    hidden: Mapping[str, object] = EMPTY_MAPPING,
) -> HttpResponse:
    """A page that asks first. Sent, it does the deed, says what the deed returned, and goes back.

    ``hidden`` values come back with the answer. A ``Conflict`` is said on the page that it goes back to, where the new
    state shows.
    """
    if request.method != "POST":
        context = {"text": text, "button": button, "back": back, "tone": tone, "hidden": dict(hidden)}
        return render_page(request, "studio/pages/confirm.html", noun=noun, title=title, row=row, **context)
    try:
        messages.success(request, deed())
    except Conflict as error:
        report_refusal(request, error)
    return HttpResponseRedirect(back)


def report_refusal(request: HttpRequest, error: TelemetryError) -> None:
    """The next page says what was refused; nothing was changed."""
    message = error.message[:1].upper() + error.message[1:]
    messages.error(request, f"{message}. Nothing was changed.")
