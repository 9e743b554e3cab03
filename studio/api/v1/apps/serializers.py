"""What apps look like."""

from datetime import datetime
from typing import Annotated

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from telemetry.core.config import AppBlueprint
from tenants.mappers import blueprint_of
from tenants.models import App

__all__ = ["AppItem", "AppPage", "AppQuery", "write_app"]


class AppQuery(PageQuery, frozen=True, kw_only=True):
    """Which apps; they come by slug."""

    search: Annotated[str, msgspec.Meta(max_length=128, description="Text that slug or name contains.")] = ""


class AppItem(Shape, frozen=True, kw_only=True):
    """An app, with what it asks for at every tenant."""

    slug: str
    name: str
    description: str
    blueprint: AppBlueprint
    created_at: datetime


class AppPage(Page[AppItem], frozen=True, kw_only=True):
    """Some of the apps."""


def write_app(app: App) -> AppItem:
    """No query."""
    return AppItem(
        slug=app.slug,
        name=app.name,
        description=app.description,
        blueprint=blueprint_of(app),
        created_at=app.created_at,
    )
