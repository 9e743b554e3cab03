"""Rules about opt-outs. Nobody can opt out of these: an opt-out that hides another explains nothing."""

from collections.abc import Iterator

from telemetry.core.enums import Severity
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec
from telemetry.core.shapes import Path
from telemetry.core.spec import LintOptOut

__all__ = ["OPT_OUT_RULES"]


def opt_out_unused(linted: LintedSpec) -> Iterator[Problem]:
    """In force, with nothing to silence."""
    for path, opt_out in _opt_outs(linted):
        is_known = opt_out.rule in linted.optional_rules
        if is_known and linted.is_in_force(opt_out) and path not in linted.used_opt_outs:
            yield Problem(path, f"silences nothing: the event follows {opt_out.rule}, or another opt-out names it")


def opt_out_unknown_rule(linted: LintedSpec) -> Iterator[Problem]:
    """For a rule that does not exist, or that nobody can opt out of."""
    for path, opt_out in _opt_outs(linted):
        if opt_out.rule not in linted.optional_rules:
            yield Problem((*path, "rule"), f"{opt_out.rule} is no rule that an event can opt out of")


def opt_out_expired(linted: LintedSpec) -> Iterator[Problem]:
    """Over: the rule holds again."""
    for path, opt_out in _opt_outs(linted):
        if opt_out.rule in linted.optional_rules and not linted.is_in_force(opt_out):
            yield Problem((*path, "until"), f"has ended on {opt_out.until}; {opt_out.rule} holds again")


def _opt_outs(linted: LintedSpec) -> Iterator[tuple[Path, LintOptOut]]:
    for event in linted.events:
        for index, opt_out in enumerate(event.definition.lint_opt_outs):
            yield (*event.path, "lintOptOuts", index), opt_out


OPT_OUT_RULES = table(
    "opt-outs",
    (
        opt_out_unknown_rule,
        Severity.WARNING,
        "Opt-outs name rules that exist.",
        "Correct the name, or remove the opt-out.",
    ),
    (
        opt_out_expired,
        Severity.WARNING,
        "Opt-outs are removed or renewed when they end.",
        "Follow the rule and remove the opt-out, or give it another day with a reason that still holds.",
    ),
    (
        opt_out_unused,
        Severity.WARNING,
        "Opt-outs silence something.",
        "Remove the opt-out.",
    ),
)
