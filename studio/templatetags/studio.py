"""``{% load studio %}``: the shared pieces of HTML, and where the reader is."""

from typing import Any, cast

from django import template

from studio import markup
from studio.admin.breadcrumbs import Crumb, breadcrumbs_of
from studio.admin.navigation import entry_of

register = template.Library()

register.filter("number", markup.number)
register.filter("percent", markup.percent)
register.filter("signed", markup.signed)
register.simple_tag(entry_of, name="entry")
register.simple_tag(markup.chip, name="chip")
register.simple_tag(markup.layer_chip, name="layer_chip")
register.simple_tag(markup.privacy_chip, name="privacy_chip")
register.simple_tag(markup.status_chip, name="status_chip")
register.simple_tag(markup.when, name="when")


@register.simple_tag(takes_context=True)
def breadcrumbs(context: template.RequestContext) -> list[Crumb]:
    """The way from the section of the side bar to this page, the page itself last."""
    return breadcrumbs_of(cast("dict[str, Any]", context.flatten()))


@register.filter
def get(mapping: dict[Any, Any], key: Any) -> Any:
    """The value under ``key``, or ``None``."""
    return mapping.get(key)
