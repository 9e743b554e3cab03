"""What happens around every page."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse

from studio.pages.errors import answer_for
from studio.people import actor_of, put_actor
from telemetry.core.errors import NotAllowed, TelemetryError
from tenants.actors import actor_of_user
from tenants.context import tenant_context
from tenants.services.audit import record_denial

__all__ = ["PREFIX", "TenantContextMiddleware"]

PREFIX = "/studio/"


class TenantContextMiddleware:
    """A signed-in person sees the rows of their tenants and no others, until the answer is ready.

    One transaction per request carries the context; a workspace-wide role and a superuser see all tenants. The person
    as an ``Actor`` comes with the request, see ``studio.people``. Without a person there is neither transaction nor
    context, so nothing is visible. Templates are rendered inside, because they may still fetch rows.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """The answer to the request; two queries more than the page itself: for the roles, and to set the context."""
        # Looking at the user would open the session, and then every answer to a key would vary by cookie.
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        actor = actor_of_user(request.user if has_session else AnonymousUser())
        put_actor(request, actor)
        if actor.user_id is None:
            return self.get_response(request)
        with tenant_context(actor.tenant_ids, user_id=actor.user_id):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page for an error of ours that a view let through; the view's changes are rolled back by then.

        Who tried what their role does not allow is written to the audit trail.
        """
        if not isinstance(error, TelemetryError) or not request.path.startswith(PREFIX):
            return None
        if isinstance(error, NotAllowed):
            record_denial(actor=actor_of(request), error=error)
        return answer_for(error)
