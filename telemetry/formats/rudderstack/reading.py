"""Reading tracking plans of RudderStack.

Source: RudderStack's Data Catalog API (``rules.events``, each with ``eventType`` and the schema of its call).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions, SpecDraft
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.fitting import fit_text
from telemetry.formats.json_schema.importing import KEYWORD_REASONS
from telemetry.formats.losses import LossReport
from telemetry.formats.payloads import KINDS, read_rule
from telemetry.formats.rudderstack.projects import Project, is_resource
from telemetry.formats.sources import Imported, SourceFile, invalid, read_plain

__all__ = ["NAME", "is_rudderstack_plan", "read_rudderstack_plans"]

NAME: Final = "rudderstack"
_RECORD: Final = "the studio keeps its own record of who changed what, and when"
_INSIDE: Final = "it is of use inside RudderStack only"
_REASONS: Final[Mapping[str, str]] = {
    **KEYWORD_REASONS,
    **dict.fromkeys(("createdAt", "updatedAt", "createdBy", "updatedBy"), _RECORD),
    **dict.fromkeys(("id", "workspaceId", "creationType", "identitySection", "identity_section", "metadata"), _INSIDE),
    **dict.fromkeys(("category", "categoryId", "categories"), "events have tags, not categories"),
    **dict.fromkeys(("variants", "cases", "default"), "what an event may carry does not depend on a value"),
    **dict.fromkeys(("propConfig", "config", "item_type", "item_types", "itemTypes"), KEYWORD_REASONS["items"]),
    **dict.fromkeys(
        ("allow_unplanned", "additional_properties", "additionalProperties"), KEYWORD_REASONS["additionalProperties"]
    ),
    "version": "it names the language of the file, not what it says",
    "pagination": "it is about the answer of the API, not about the plan",
}
_WRAPPERS: Final = ("data", "trackingPlans", "tracking_plans", "trackingPlan")


def is_rudderstack_plan(_file: SourceFile, plain: object) -> bool:
    """Whether the data looks like a plan of RudderStack, or a file of a project of its command line."""
    root = Ledger().open(plain)
    # A plan without events could be Segment's as well, unless it names its workspace.
    plans = [plan for plan in _find_plans(root) if _is_known(plan)]
    return is_resource(root) or bool(plans)


def _is_known(plan: Cursor) -> bool:
    events = _events_of(plan)
    return plan.get("workspaceId") is not None or (events is not None and not events.is_leaf)


def read_rudderstack_plans(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec for each plan in the files. Raises ``InvalidDocument`` if a file holds none.

    Files of a project belong together: what one defines, others refer to.
    """
    ledger = Ledger(reasons=_REASONS)
    roots = [(file, ledger.open(read_plain(file), file=file.name if len(files) > 1 else "")) for file in files]
    project = Project([root for _, root in roots if is_resource(root)])
    specs = list(project.read(ledger, options, name=files[0].stem))
    for file, root in roots:
        if is_resource(root):
            continue
        plans = list(_find_plans(root))
        if not plans:
            message = "must be a tracking plan: an object with rules.events, each with an eventType"
            raise invalid("missing_key", message, path="rules.events", what=f"file {file.name}")
        for number, plan in enumerate(plans, start=1):
            name = file.stem if number == 1 else f"{file.stem}_{number}"
            specs.append(_read_plan(plan, ledger, options, name=name))
    names = tuple(file.name for file in files)
    specs_names = tuple(spec.meta.name for spec in specs)
    return Imported(tuple(specs), LossReport(format=NAME, sources=names, specs=specs_names, losses=ledger.losses()))


def _find_plans(root: Cursor) -> Iterator[Cursor]:
    """Plans, in the order of the document; an answer of the API may wrap them, or list the events of one."""
    if _events_of(root) is not None:
        yield root
    elif root.kind == "list":
        for each in root.items():
            yield from _find_plans(each)
    else:
        for key in _WRAPPERS:
            inner = root.get(key)
            if inner is not None:
                yield from _find_plans(inner)


def _events_of(plan: Cursor) -> Cursor | None:
    """The list of events of a plan, which may be empty where rules have it."""
    for events in (plan.find("rules", "events"), plan.get("events"), plan):
        if events is not None and events.kind == "list":
            rules = list(events.items())
            if rules and all(_is_rule(rule) for rule in rules):
                return events
    empty = plan.find("rules", "events")
    return empty if empty is not None and empty.value == [] else None


def _is_rule(rule: Cursor) -> bool:
    return rule.get("eventType") is not None or rule.get("event_type") is not None


def _read_plan(plan: Cursor, ledger: Ledger, options: ImportOptions, *, name: str) -> TelemetrySpec:
    draft = SpecDraft(ledger, plan, options)
    draft.title(plan.get("display_name") or plan.get("name"))
    description = fit_text(plan.get("description"), target="meta.description")
    if description:
        draft.meta["description"] = description
    version = plan.get("version")
    if version is not None:
        draft.meta["version"] = draft.version_of(version, target="meta.version")
    events = _events_of(plan)
    if events is not None and events.is_leaf:
        events.take()
    for rule in events.items() if events is not None else ():
        type_ = rule.get("eventType") or rule.get("event_type")
        word = str(type_.value).lower() if type_ is not None else "track"
        if type_ is not None and word in ("track", *KINDS):
            type_.take()
        kind = word if word in KINDS else "track"
        read_rule(rule, key=rule.get("name"), kind=kind, schema=rule.get("rules"), draft=draft)
    return draft.build(name=name)
