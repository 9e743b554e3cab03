"""Where the reader is: section, list, object, page."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Model

from studio.addresses import address_of
from studio.admin.navigation import entry_of, section_of

__all__ = ["Crumb", "breadcrumbs_of"]


class Crumb(NamedTuple):
    """One step; without an address it is the page itself, or a section, which has no page."""

    title: str
    address: str = ""
    is_section: bool = False


def breadcrumbs_of(context: Mapping[str, Any]) -> list[Crumb]:
    """The steps for a template's context; no query.

    ``opts`` or ``noun`` names the noun, ``original`` or ``object`` the row, ``page_title`` a page of its own.
    """
    options = context.get("opts") or context.get("noun")
    if options is None:
        return [Crumb(str(context.get("title") or ""))]
    entry = entry_of(options)
    crumbs = [Crumb(section_of(options), is_section=True), Crumb(entry.title, entry.address)]
    row = context.get("original") or context.get("object")
    if isinstance(row, Model):
        crumbs.append(Crumb(str(row), address_of(row)))
    elif context.get("add"):
        crumbs.append(Crumb(f"New {entry.one}"))
    if page := context.get("page_title"):
        crumbs.append(Crumb(page))
    # The last step is the page itself.
    return [*crumbs[:-1], crumbs[-1]._replace(address="")]
