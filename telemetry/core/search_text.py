"""What people look an event up by, and how they ask for it: words in any order, parts of words, either case."""

import re
from typing import Final

from telemetry.core.spec import EventDefinition

__all__ = ["search_text", "search_words"]

# More words than anybody types; each costs one look at every text.
MAXIMUM_WORDS: Final = 10


def search_text(event: EventDefinition) -> str:
    """Name, meaning, properties, owners and tags of the event, one to a line, in one case."""
    semantics = event.semantics
    parts = (event.name, semantics.what, semantics.who, semantics.why, *event.properties, *event.owners, *event.tags)
    return "\n".join(part for part in parts if part).casefold()


def search_words(text: str) -> tuple[str, ...]:
    """The words of a question, in one case, each once: an event is found if its ``search_text`` contains them all.

    What stands in double quotes is one word. Words beyond the first ten are left out.
    """
    found = (quoted or plain for quoted, plain in re.findall(r'"([^"\n]+)"|([^\s"]+)', text))
    return tuple(dict.fromkeys(word.casefold() for word in found))[:MAXIMUM_WORDS]
