"""How the admin theme looks and what its side bar shows."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static

__all__ = ["UNFOLD"]


def _icon(_request: HttpRequest) -> str:
    return static("studio/icon.svg")


def _tokens(_request: HttpRequest) -> str:
    return static("studio/tokens.css")


def _components(_request: HttpRequest) -> str:
    return static("studio/components.css")


def _govern(_request: HttpRequest) -> str:
    return static("studio/govern.css")


def _toggles(_request: HttpRequest) -> str:
    return static("studio/toggles.css")


def _watch(_request: HttpRequest) -> str:
    return static("studio/watch.css")


def _behaviour(_request: HttpRequest) -> str:
    return static("studio/behaviour.js")


# Petrol: far from the green, blue, amber, red and violet that mean something here. White text on 600 has a contrast of
# 6 to 1. Source: WCAG 2.2, success criterion 1.4.3 asks for 4.5 to 1.
PRIMARY = {
    "50": "oklch(97.5% .013 215)",
    "100": "oklch(94.5% .03 215)",
    "200": "oklch(89.5% .055 215)",
    "300": "oklch(82% .085 215)",
    "400": "oklch(75% .1 215)",
    "500": "oklch(64% .105 216)",
    "600": "oklch(48% .09 219)",
    "700": "oklch(42.5% .08 220)",
    "800": "oklch(37% .068 221)",
    "900": "oklch(32% .055 223)",
    "950": "oklch(23% .04 225)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Telemetry Studio",
    "SITE_HEADER": "Telemetry Studio",
    "SITE_URL": None,
    "SITE_ICON": _icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _icon}],
    "SHOW_VIEW_ON_SITE": False,
    # The audit log has the history of everything.
    "SHOW_HISTORY": False,
    "BORDER_RADIUS": "6px",
    "COLORS": {"primary": PRIMARY},
    "STYLES": [_tokens, _components, _govern, _toggles, _watch],
    "SCRIPTS": [_behaviour],
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": "studio.admin.navigation.navigation",
    },
}
