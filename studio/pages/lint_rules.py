"""The lint rules: all of them by theme, and each with a bad and a good example."""

from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse

from studio.pages.rule_documents import rule_document
from studio.pages.shell import render_page
from studio.people import actor_of
from telemetry.core.lint import OPTIONAL_RULES, RULES
from telemetry.models import SpecRecord
from tenants.actors import require_somewhere

__all__ = ["lint_rule", "lint_rules"]


def lint_rules(request: HttpRequest) -> HttpResponse:
    """Every rule by theme: what holds where it is followed, and what to do where it is not."""
    require_somewhere(actor_of(request), "view")
    themes = [(theme, list(rules)) for theme, rules in groupby(RULES.values(), key=lambda rule: rule.theme)]
    context: dict[str, Any] = {"themes": themes, "optional": frozenset(OPTIONAL_RULES), "count": len(RULES)}
    return render_page(request, "studio/pages/lint_rules.html", noun=SpecRecord, title="Lint rules", **context)


def lint_rule(request: HttpRequest, rule: str) -> HttpResponse:
    """One rule: why it is there, and a spec that breaks it beside one that follows it."""
    require_somewhere(actor_of(request), "view")
    known = RULES.get(rule)
    if known is None:
        raise Http404("there is no lint rule of this name")
    context: dict[str, Any] = {
        "rule": known,
        "document": rule_document(rule),
        "is_optional": rule in OPTIONAL_RULES,
        "back": f"{reverse('lint_rules')}#{rule}",
    }
    return render_page(request, "studio/pages/lint_rule.html", noun=SpecRecord, title=rule, **context)
