"""What a person sees when a page cannot be shown or a change is refused."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from telemetry.core.errors import Conflict, NotAllowed, NotAuthenticated, NotFound, TelemetryError, Unavailable

__all__ = ["answer_for", "bad_request", "form_expired", "not_found", "permission_denied", "server_error"]

# The first class that fits counts; an error that none names is the reader's input.
STATUSES: tuple[tuple[type[TelemetryError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (NotAuthenticated, 403),
    (Conflict, 409),
    (Unavailable, 503),
    (TelemetryError, 400),
)

TITLES = {
    400: "This cannot be read",
    403: "Your role does not allow this",
    404: "There is no such page",
    409: "Somebody else was faster",
    500: "Something broke on our side",
    503: "Another system does not answer",
}

ADVICE = {
    400: "Go back, correct what is named here, and send it again.",
    403: "Nothing was changed. Ask an admin of the workspace if you need this.",
    404: "It may have been removed, or it belongs to a tenant that you have no role in.",
    409: "Nothing was changed. Go back, load the page again, and repeat your change.",
    500: "Nothing of this request was saved. Try again; if it stays, tell whoever runs this studio.",
    503: "Nothing was changed. Try again in a minute.",
}


def answer_for(error: TelemetryError) -> HttpResponse:
    """The page that says what the error says, with the status that fits it."""
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    return _page(status, error.message)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``; the exception's own words are for logs."""
    return _page(400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler403``."""
    return _page(403)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``: the page's token is missing or not this session's."""
    return _page(403, "The page that you sent from is too old, or was not ours")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler404``: the same page whether something does not exist or may not be known."""
    return _page(404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``."""
    return _page(500)


def _page(status: int, message: str = "") -> HttpResponse:
    """A page that needs neither database nor session nor theme, so that it still works when they are what broke."""
    context = {"status": status, "title": TITLES[status], "message": message, "advice": ADVICE[status]}
    return HttpResponse(render_to_string("studio/pages/error.html", context), status=status)
