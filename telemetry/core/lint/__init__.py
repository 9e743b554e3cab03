"""Lint: named rules about what makes a spec good beyond valid, each with its page in ``docs/lint``."""

from telemetry.core.enums import Severity
from telemetry.core.lint.engine import lint_spec
from telemetry.core.lint.finding import Finding
from telemetry.core.lint.rule import Rule
from telemetry.core.lint.rules import OPTIONAL_RULES, RULES

__all__ = ["OPTIONAL_RULES", "RULES", "Finding", "Rule", "Severity", "lint_spec"]
