"""The person behind a request, as the actor that services ask about."""

from typing import cast

from django.http import HttpRequest

from tenants.actors import Actor

__all__ = ["actor_of", "put_actor"]

_ATTRIBUTE = "studio_actor"


def put_actor(request: HttpRequest, actor: Actor) -> None:
    """The request carries this actor from here on."""
    setattr(request, _ATTRIBUTE, actor)


def actor_of(request: HttpRequest) -> Actor:
    """Who asks. ``TenantContextMiddleware`` has put it there; an ``AttributeError`` means that it did not run."""
    return cast("Actor", getattr(request, _ATTRIBUTE))
