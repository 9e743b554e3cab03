"""What changed between two specs, and what each change means for senders, readers and privacy."""

from telemetry.core.diff.breaks import find_unversioned_breaks
from telemetry.core.diff.changes import Change, SpecDiff
from telemetry.core.diff.rules import RULES, Rule
from telemetry.core.diff.specs import diff_specs

__all__ = ["RULES", "Change", "Rule", "SpecDiff", "diff_specs", "find_unversioned_breaks"]
