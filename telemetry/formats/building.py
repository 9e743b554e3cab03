"""Building a valid spec from the parts of a foreign plan, each part cut to what a spec may hold."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from telemetry.core.codec import convert_document
from telemetry.core.enums import PrivacyLevel, PropertyType
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.paths import key_path
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.core.spec import (
    MAXIMUM_CONTEXT_PROPERTIES,
    MAXIMUM_EVENTS,
    MAXIMUM_LABELS,
    MAXIMUM_PROPERTIES,
    TelemetrySpec,
)
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.describing import split_description
from telemetry.formats.fitting import LONGEST_LINE, LONGEST_TEXT, fit_text
from telemetry.formats.naming import Names, event_name, property_name, spec_name, tag_name
from telemetry.formats.origins import Origins

__all__ = [
    "EventDraft",
    "ImportOptions",
    "PropertyDraft",
    "PropertySet",
    "SpecDraft",
]

_LARGEST_VERSION: Final = 2_147_483_647


class ImportOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever imports says about the spec; what is unset comes from the source, or is a default."""

    name: str | None = None
    version: int | None = None
    owners: tuple[str, ...] = ()
    privacy: PrivacyLevel = PrivacyLevel.INTERNAL
    # What a spec is called if nobody names it; unset: after the first file.
    fallback_name: str | None = None


class PropertyDraft(NamedTuple):
    """One property that is being built; ``plain`` is its document, ``target`` the document's place in the spec."""

    target: str
    plain: dict[str, Any]
    origins: Origins

    def put(self, key: str, cursor: Cursor, value: object = None) -> None:
        """The document says under ``key`` what stands at the cursor, or ``value``; what breaks a rule is taken back."""
        self.origins.put(self.plain, self.target, key, cursor, value)

    def describe(self, cursor: Cursor | None) -> None:
        """The property's description is the text at the cursor."""
        text = fit_text(cursor, target=f"{self.target}.description")
        if text:
            self.plain["description"] = text

    def describe_with(self, cursors: Sequence[Cursor], text: str) -> None:
        """The property's description is ``text``, which is made of the texts at the cursors."""
        fitting = [fit_text(cursor, target=f"{self.target}.description") for cursor in cursors]
        if any(fitting):
            self.plain["description"] = UNUSABLE_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)[:LONGEST_TEXT]


class PropertySet:
    """Properties of an event, or of the context, by names that are valid and differ from each other."""

    def __init__(self, path: str, origins: Origins, *, maximum: int = MAXIMUM_PROPERTIES) -> None:
        self.path = path
        self._origins = origins
        self.plain: dict[str, dict[str, Any]] = {}
        self._maximum = maximum
        self._names = Names()

    def reserve(self, names: Iterable[str]) -> None:
        """No other property gets one of these names, as far as they are valid, while it is made valid itself."""
        self._names.reserve(name for name in names if property_name(name) == name)

    def add(self, name: str, cursor: Cursor) -> "PropertyDraft | None":
        """A new property of type json, to be filled; ``None`` when there are too many already.

        Its name is made valid and unique; ``cursor`` is where a new name is reported.
        """
        if len(self.plain) >= self._maximum:
            cursor.drop(f"there are more than {self._maximum} properties")
            return None
        became = self._names.claim(property_name(name), longest=128, original=name)
        target = key_path(self.path, became)
        if became != name:
            cursor.rename(name, became, _why_renamed(name, property_name(name), "a property"), target=target)
        self.plain[became] = {"type": PropertyType.JSON.value}
        return PropertyDraft(target, self.plain[became], self._origins)


class EventDraft:
    """One event that is being built; ``plain`` is its document."""

    def __init__(self, index: int, name: str, version: int, privacy: PrivacyLevel, origins: Origins) -> None:
        self.origins = origins
        self.target = f"events[{index}]"
        self.plain: dict[str, Any] = {"name": name, "version": version, "semantics": {"what": name}}
        self.plain["privacy"] = privacy.value
        self.properties = PropertySet(f"{self.target}.properties", origins)
        self.is_described = False
        self.has_privacy = False

    def put(self, key: str, cursor: Cursor, value: object = None) -> None:
        """The document says under ``key`` what stands at the cursor, or ``value``; what breaks a rule is taken back."""
        self.origins.put(self.plain, self.target, key, cursor, value)

    def explain(self, cursor: Cursor) -> None:
        """The text at the cursor stands under why, behind what is there."""
        text = fit_text(cursor, target=f"{self.target}.semantics.why").strip()
        before = self.plain["semantics"].get("why", "")
        why = f"{before}\n\n{text}" if before else text
        if len(why) > LONGEST_TEXT:
            cursor.approximate(
                f"the text is cut after {LONGEST_TEXT} characters", target=f"{self.target}.semantics.why"
            )
        self.plain["semantics"]["why"] = why[:LONGEST_TEXT]

    def describe(self, cursor: Cursor | None) -> None:
        """The event means what the text at the cursor says: what happened, and under why the rest of it."""
        text = fit_text(cursor, target=f"{self.target}.semantics")
        if cursor is None or not text.strip():
            return
        what, why = split_description(text)
        if why:
            cursor.approximate(
                "its beginning says what happened, the rest stands under why", target=f"{self.target}.semantics"
            )
        self.plain["semantics"] = {"what": what, "why": why} if why else {"what": what}
        self.is_described = True

    def protect(self, cursor: Cursor | None) -> None:
        """The event has the level of privacy whose word stands at the cursor, in whatever case."""
        word = cursor.value.strip().lower() if cursor is not None and isinstance(cursor.value, str) else ""
        if cursor is not None and word in tuple(PrivacyLevel):
            cursor.take()
            self.plain["privacy"] = word
            self.has_privacy = True

    def deprecate(self, cursor: Cursor, reason: str, *, replaced_by: Cursor | None = None) -> None:
        """The event is no longer to be sent, as the cursor says in another way."""
        cursor.approximate(f"the event is deprecated: {reason}", target=f"{self.target}.deprecation")
        self.plain["deprecation"] = {"reason": reason}
        if replaced_by is not None:
            self.origins.put(self.plain["deprecation"], f"{self.target}.deprecation", "replacedBy", replaced_by)

    def tag(self, cursor: Cursor, tag: str) -> None:
        """The event has this tag, as far as a tag may be written so; the cursor is where a change is reported."""
        tags = self.plain.setdefault("tags", [])
        became = tag_name(tag)
        if len(tags) >= MAXIMUM_LABELS:
            cursor.drop(f"there are more than {MAXIMUM_LABELS} tags")
            return
        cursor.take()
        if became != tag:
            cursor.rename(tag, became, "the text is not one that a tag may have", target=f"{self.target}.tags")
        tags.append(became)


def _why_renamed(name: str, valid: str, what: str) -> str:
    return "another one has the name already" if name == valid else f"the name is not one that {what} may have here"


class SpecDraft:
    """A spec that is being built. What the source does not say is filled in when it is done, and reported."""

    def __init__(self, ledger: Ledger, root: Cursor, options: ImportOptions) -> None:
        self.ledger = ledger
        self.root = root
        self.options = options
        self.meta: dict[str, Any] = {}
        self.config: dict[str, Any] = {}
        self.events: list[EventDraft] = []
        self.origins = Origins()
        self.context = PropertySet("config.contextProperties", self.origins, maximum=MAXIMUM_CONTEXT_PROPERTIES)
        self._names = Names()

    @property
    def next_target(self) -> str:
        """The place of the event that comes next."""
        return f"events[{len(self.events)}]"

    def add_event(self, name: str, version: int, cursor: Cursor) -> EventDraft:
        """A new event, its name made valid and unique; ``cursor`` is where a new name is reported.

        Raises ``InvalidDocument`` when there are more events than a spec may have.
        """
        if len(self.events) >= MAXIMUM_EVENTS:
            error = FieldError("too_many", "events", f"must have at most {MAXIMUM_EVENTS} entries")
            raise InvalidDocument([error], what="plan")
        became = self._names.claim(event_name(name), within=version, longest=LONGEST_LINE, original=name)
        event = EventDraft(len(self.events), became, version, self.options.privacy, self.origins)
        if became != name:
            why = _why_renamed(name, event_name(name), "an event")
            cursor.rename(name, became, why, target=f"{event.target}.name")
        self.events.append(event)
        return event

    def reserve(self, names: Iterable[str], *, version: int = 1) -> None:
        """No other event of the version gets one of these names, as far as they are valid, while it is made valid."""
        self._names.reserve((name for name in names if event_name(name) == name), within=version)

    def version_of(self, cursor: Cursor | None, *, target: str) -> int:
        """The whole number from 1 that stands at the cursor; 1 for anything else."""
        if cursor is None:
            return 1
        value = cursor.value
        if cursor.kind in ("list", "object"):
            return 1
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if is_number and 1 <= value <= _LARGEST_VERSION:
            return int(cursor.take())
        digits = re.match(r"v?([0-9]{1,9})", value) if isinstance(value, str) else None
        number = max(1, int(digits[1])) if digits else 1
        cursor.approximate(f"versions are whole numbers from 1: it became {number}", target=target)
        return number

    def name(self, cursor: Cursor | None) -> None:
        """The spec has the name that stands at the cursor, made valid, unless the options say another."""
        if cursor is None or not isinstance(cursor.value, str) or self.options.name is not None:
            return
        if not str(cursor.take()).strip():
            return
        became = spec_name(str(cursor.value))
        if became != cursor.value:
            cursor.rename(cursor.value, became, "the name is not one that a spec may have", target="meta.name")
        self.meta["name"] = became

    def title(self, cursor: Cursor | None) -> None:
        """The spec has the title that stands at the cursor, and a name made of it unless there is one already."""
        text = fit_text(cursor, target="meta.title", longest=LONGEST_LINE)
        if cursor is None or not text.strip():
            return
        self.meta["title"] = text
        if "name" not in self.meta and self.options.name is None:
            self.meta["name"] = spec_name(text)
            cursor.rename(text, self.meta["name"], "a spec's name is made of its title", target="meta.name")

    def tag(self, cursor: Cursor, tag: str) -> None:
        """The spec has this tag, as far as a tag may be written so and there is room; see ``EventDraft.tag``."""
        tags = self.meta.setdefault("tags", [])
        became = tag_name(tag)
        if len(tags) >= MAXIMUM_LABELS:
            cursor.drop(f"there are more than {MAXIMUM_LABELS} tags")
        elif became not in tags:
            tags.append(became)
        if became != tag:
            cursor.rename(tag, became, "the text is not one that a tag may have", target="meta.tags")

    def build(self, *, name: str) -> TelemetrySpec:
        """The valid spec; ``name`` is used if neither the source nor the options have one.

        Raises ``InvalidDocument`` when the options break a rule of specs.
        """
        self._complete_meta(self.options.fallback_name or name)
        self._report_defaults()
        if self.context.plain:
            self.config["contextProperties"] = self.context.plain
        while True:
            try:
                return convert_document(self._document(), TelemetrySpec, what="imported spec")
            except InvalidDocument as error:
                # Each round takes back at least one part, so there are no more rounds than parts.
                if not [each for each in error.errors if self.origins.take_back(each)]:
                    raise

    def _document(self) -> dict[str, Any]:
        document: dict[str, Any] = {"meta": self.meta, "events": [_event_document(event) for event in self.events]}
        return {**document, "config": self.config} if self.config else document

    def _complete_meta(self, name: str) -> None:
        if self.options.name is not None:
            self.meta["name"] = self.options.name
        if self.options.version is not None:
            self.meta["version"] = self.options.version
        if self.options.owners:
            self.meta["owners"] = list(self.options.owners)
        for key, value in (("name", spec_name(name)), ("version", 1)):
            if key not in self.meta:
                self.meta[key] = value
                self.root.default("the source does not say it", target=f"meta.{key}")
        if "title" not in self.meta:
            self.meta["title"] = self.meta["name"]
            self.root.default("the source has no title; it is the name", target="meta.title")

    def _report_defaults(self) -> None:
        for event in self.events:
            if not event.has_privacy:
                self.root.default(
                    f"the source does not say how it is protected; it is {self.options.privacy} until somebody decides",
                    target=f"{event.target}.privacy",
                )
            if not event.is_described:
                self.root.default(
                    "the source does not say what the event means; it is the name",
                    target=f"{event.target}.semantics.what",
                )


def _event_document(event: EventDraft) -> dict[str, Any]:
    document = dict(event.plain)
    if event.properties.plain:
        document["properties"] = event.properties.plain
    return document
