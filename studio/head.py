"""The head of a row's page: where it stands, in a line of facts, and what can be done with it."""

from typing import NamedTuple

from django.utils.safestring import SafeString

__all__ = ["Deed", "Fact", "Head", "Tab"]


class Deed(NamedTuple):
    """A button that leads to the page where something is done; ``tone`` is ``primary``, ``default`` or ``danger``."""

    title: str
    address: str
    icon: str = ""
    tone: str = "default"

    @property
    def variant(self) -> str:
        """How the theme calls it: a deed that destroys asks on its page, so its button need not shout."""
        return "primary" if self.tone == "primary" else "default"

    @property
    def style(self) -> str:
        """The class that colours it."""
        return f"deed--{self.tone}"


class Fact(NamedTuple):
    """A word and its value."""

    name: str
    value: SafeString | str | int


class Tab(NamedTuple):
    """A page beside this one, about the same row."""

    title: str
    address: str
    is_active: bool = False


class Head(NamedTuple):
    """What stands above a row's form or page."""

    chips: tuple[SafeString, ...] = ()
    facts: tuple[Fact, ...] = ()
    deeds: tuple[Deed, ...] = ()
    tabs: tuple[Tab, ...] = ()
    note: str = ""
