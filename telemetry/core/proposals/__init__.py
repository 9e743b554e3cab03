"""From signals to suggested changes of a spec: what was noticed, which rule makes something of it, and the change.

All of it is pure: signals come from adapters of ``telemetry.services.regeneration``, which know where to look; rules
judge one signal against one spec, and answer with a changed event, or with nothing.
"""

from telemetry.core.proposals.cause import cause_key
from telemetry.core.proposals.patch import JsonPatch, PatchConflict, apply_patch, holds_patch, make_patch, rebase_patch
from telemetry.core.proposals.signal import Signal, SignalKind
from telemetry.core.proposals.suggestion import Confidence, Measure, Promise, Suggestion
from telemetry.core.proposals.table import PROPOSAL_RULES, ProposalRule, suggest

__all__ = [
    "PROPOSAL_RULES",
    "Confidence",
    "JsonPatch",
    "Measure",
    "PatchConflict",
    "Promise",
    "ProposalRule",
    "Signal",
    "SignalKind",
    "Suggestion",
    "apply_patch",
    "cause_key",
    "holds_patch",
    "make_patch",
    "rebase_patch",
    "suggest",
]
