"""Where the reader is: section, list, object, page."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Model
from django.urls import reverse

from studio.addresses import address_of
from studio.admin.navigation import section_of

__all__ = ["Crumb", "breadcrumbs_of"]


class Crumb(NamedTuple):
    """One step; without an address it is the page itself, or a section, which has no page."""

    title: str
    address: str = ""
    is_section: bool = False


def breadcrumbs_of(context: Mapping[str, Any]) -> list[Crumb]:
    """The steps for a template's context: ``opts`` or ``noun`` names the noun, ``original`` or ``object`` the row, ``title`` the page.

    No query.
    """
    options = context.get("opts") or context.get("noun")
    if options is None:
        return [Crumb(str(context.get("title") or ""))]
    view = f"admin:{options.app_label}_{options.model_name}_changelist"
    crumbs = [Crumb(section_of(view), is_section=True), Crumb(_capitalise(options.verbose_name_plural), reverse(view))]
    row = context.get("original") or context.get("object")
    if isinstance(row, Model):
        crumbs.append(Crumb(str(row), address_of(row)))
    elif context.get("add"):
        crumbs.append(Crumb(f"New {options.verbose_name}"))
    if page := context.get("page_title"):
        crumbs.append(Crumb(page))
    # The last step is the page itself.
    return [crumb for crumb in crumbs[:-1] if crumb.title] + [crumbs[-1]._replace(address="")]


def _capitalise(text: object) -> str:
    words = str(text)
    return words[:1].upper() + words[1:]
