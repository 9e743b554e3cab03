"""The table of all rules as a Markdown page. ``python -m telemetry.core.lint.catalogue`` prints it."""

import sys
from collections.abc import Iterator
from itertools import groupby

from telemetry.core.lint.rule import Rule
from telemetry.core.lint.rules import OPTIONAL_RULES, RULES

__all__ = ["render_catalogue"]

_INTRODUCTION = """\
# Lint rules

A valid spec can still be a poor one. These rules say where: in the editor, on the
Findings page of a spec, and before a version is published, always with the same findings.

| Severity | What it means |
|---|---|
| error | The spec cannot be published. |
| warning | Somebody should decide: follow the rule, or opt out with a reason. |
| info | Advice. |

An event opts out of a rule with a reason, and if need be with a last day; what silences nothing is reported:

```yaml
lintOptOuts:
  - rule: sampling_too_low
    reason: Only the total is read, from the tallies, which are counted before sampling.
    until: 2027-03-31
```

Rules marked * cannot be opted out of. Findings about the spec as a whole belong to no event, and so have no opt-out.
"""

_HEADER = "| Rule | Severity | What holds where it is followed |\n|---|---|---|\n"


def render_catalogue() -> str:
    """The page: one table per theme, with a link to the page of each rule."""
    return _INTRODUCTION + "".join(_sections())


def _sections() -> Iterator[str]:
    for theme, rules in groupby(RULES.values(), key=lambda rule: rule.theme):
        rows = "".join(_row(rule) for rule in rules)
        yield f"\n## {theme.capitalize()}\n\n{_HEADER}{rows}"


def _row(rule: Rule) -> str:
    mark = "" if rule.name in OPTIONAL_RULES else " *"
    return f"| [{rule.name}]({rule.name}.md){mark} | {rule.severity} | {rule.summary} |\n"


if __name__ == "__main__":
    sys.stdout.write(render_catalogue())
