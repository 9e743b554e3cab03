"""Messages in Slack's format, as incoming web hooks of Slack and of others that imitate them take it."""

from collections.abc import Mapping
from typing import Any, Final

from telemetry.services.alerts.composing import HANDLE, Composed

__all__ = ["blocks"]

# Characters of a header and of a section. Source: https://docs.slack.dev/reference/block-kit/blocks
_HEADER: Final = 150
_SECTION: Final = 3_000


def blocks(composed: Composed) -> Mapping[str, Any]:
    """The message as blocks, with ``text`` for notifications and for who shows no blocks.

    All words are text: nothing in them mentions anybody, links or formats.
    """
    message, link = composed.message, composed.link
    found: list[dict[str, Any]] = [
        {"type": "header", "text": _plain(message.subject, _HEADER)},
        {"type": "section", "text": _plain(message.text, _SECTION)},
    ]
    # Slack refuses buttons whose address is a path alone.
    if link.startswith(("https://", "http://")):
        buttons = [_button("Open", link)]
        if "incident" in composed.data:
            buttons.append(_button("Acknowledge or mute", f"{link}{HANDLE}"))
        found.append({"type": "actions", "elements": buttons})
    return {"text": _escaped(message.subject), "blocks": found}


def _plain(text: str, longest: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:longest], "emoji": False}


def _button(words: str, address: str) -> dict[str, Any]:
    return {"type": "button", "text": _plain(words, 75), "url": address}


def _escaped(text: str) -> str:
    """Source: https://docs.slack.dev/messaging/formatting-message-text#escaping"""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
