"""Our verdict on real schema changes beside the version bump of their authors.

``python benchmarks/compatibility.py DIR`` compares consecutive versions of each event below ``DIR``, which holds
self-describing JSON Schemas as ``VENDOR/EVENT/jsonschema/VERSION``. It prints every disagreement with its reason and
ends with one line of JSON: ``agree`` of ``total``.

What is compared is the one decision that a verdict makes here: does the change need a new version of the event? Our
event versions are whole numbers, like the *model* in the authors' ``model-revision-addition``, so *breaking* stands
beside a raised model, and *risky* and *safe* beside a raised revision or addition. SchemaVer by the letter, whose
revision "may prevent interaction with some historical data", is reported as a second figure; what a diff sees that
knows types and required properties only, as a third.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from telemetry.core.diff import diff_specs
from telemetry.core.enums import ChangeClass, PrivacyLevel
from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import EventDefinition, Semantics, TelemetryMeta, TelemetrySpec
from telemetry.formats.json_schema import (
    EventSchema,
    SchemaComparison,
    SchemaIdentity,
    VersionPart,
    compare_schemas,
    properties_of_schema,
    read_schema,
)

Version = tuple[int, int, int]


class Step(NamedTuple):
    """Two consecutive versions of one event: what the authors raised, and what we say."""

    vendor: str
    name: str
    before: Version
    after: Version
    bump: VersionPart
    comparison: SchemaComparison
    worst_of_properties: ChangeClass | None

    @property
    def agrees(self) -> bool:
        """Whether both say, or both deny, that a new version of the event is needed."""
        return self.needs_version is (self.bump is VersionPart.MODEL)

    @property
    def needs_version(self) -> bool:
        """Whether we say so."""
        return self.comparison.severity is ChangeClass.BREAKING


def main(arguments: Sequence[str]) -> int:
    """Compare and print; the exit status is 0 also when there are disagreements."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python benchmarks/compatibility.py DIR, with schemas as VENDOR/EVENT/jsonschema/VERSION")
        return 2
    steps = list(find_steps(Path(arguments[0])))
    for step in steps:
        if not step.agrees:
            print_disagreement(step)
    print_figures(steps)
    print(json.dumps({"agree": sum(step.agrees for step in steps), "total": len(steps)}))
    return 0


def find_steps(directory: Path) -> Iterator[Step]:
    """The steps of every event, by vendor, event and version as the schemas themselves say."""
    histories: dict[tuple[str, str], dict[tuple[int, int, int], EventSchema]] = {}
    for path in sorted(directory.glob("*/*/jsonschema/*")):
        schema, identity = read_file(path)
        histories.setdefault((identity.vendor, identity.name), {})[identity.version] = schema
    for event, versions in sorted(histories.items()):
        for (old, before), (new, after) in pairwise(sorted(versions.items())):
            worst_of_properties = diff_specs(as_spec(before), as_spec(after)).worst
            yield Step(*event, old, new, raised_part(old, new), compare_schemas(before, after), worst_of_properties)


def read_file(path: Path) -> tuple[EventSchema, SchemaIdentity]:
    """The schema in the file, which is what its place says; otherwise the program ends with a clear message."""
    try:
        schema = read_schema(path.read_bytes())
    except InvalidDocument as error:
        sys.exit(f"{path}: {error}")
    identity = schema.identity
    if identity is None or (identity.vendor, identity.name, written(identity.version)) != placed(path):
        sys.exit(f"{path}: the schema says that it is {identity}")
    return schema, identity


def placed(path: Path) -> tuple[str, str, str]:
    """Vendor, event and version by the place of the file."""
    *_, vendor, name, _, version = path.parts
    return vendor, name, version


def raised_part(before: Version, after: Version) -> VersionPart:
    """The first part of the version that differs."""
    parts = (VersionPart.MODEL, VersionPart.REVISION, VersionPart.ADDITION)
    changed = (old != new for old, new in zip(before, after, strict=True))
    return next(part for part, differs in zip(parts, changed, strict=True) if differs)


def as_spec(schema: EventSchema) -> TelemetrySpec:
    """A spec whose only event has the properties of the schema."""
    event = EventDefinition(
        name="event",
        version=1,
        semantics=Semantics(what="Event"),
        privacy=PrivacyLevel.INTERNAL,
        properties=properties_of_schema(schema),
    )
    return TelemetrySpec(meta=TelemetryMeta(name="schema", version=1, title="Schema"), events=(event,))


def print_disagreement(step: Step) -> None:
    """Who says what, and each change by which we say it."""
    ours = f"{step.comparison.severity}, {'a' if step.needs_version else 'no'} new version"
    print(f"{step.vendor}/{step.name} {written(step.before)} -> {written(step.after)}")
    print(f"  authors: raised the {step.bump}; we: {ours}")
    if step.needs_version:
        reasons = [change for change in step.comparison.changes if change.severity is ChangeClass.BREAKING]
    else:
        print("  every event that was taken is still taken, and no stored type changes; what differs:")
        reasons = [change for change in step.comparison.changes if change.severity is not ChangeClass.SAFE]
    for change in reasons:
        print(f"    {change.path}: {change.message} ({change.rule})")
    print()


def print_figures(steps: Sequence[Step]) -> None:
    """How the verdicts fall, and the two other readings."""
    total = len(steps)
    print(f"{total} steps, by what the authors raised and what we say:")
    for (bump, severity), count in sorted(Counter((step.bump, step.comparison.severity) for step in steps).items()):
        print(f"  {bump:<9} {severity:<9} {count:>3}")
    print("breaking changes by rule (a step may have several):")
    rules = Counter(
        rule
        for step in steps
        for rule in {c.rule for c in step.comparison.changes if c.severity is ChangeClass.BREAKING}
    )
    for rule, count in rules.most_common():
        print(f"  {rule:<26} {count:>3} steps")
    by_letter = sum(step.comparison.part is step.bump for step in steps)
    by_properties = sum(
        (step.worst_of_properties is ChangeClass.BREAKING) is (step.bump is VersionPart.MODEL) for step in steps
    )
    print(f"SchemaVer by the letter, three parts: {by_letter} of {total} agree")
    print(f"types and required properties alone: {by_properties} of {total} agree")


def written(version: Version) -> str:
    """The version as it is written."""
    return "-".join(str(part) for part in version)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
