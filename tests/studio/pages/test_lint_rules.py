"""The lint rules as pages: what they say is what docs/lint says."""

import re
from html import unescape
from pathlib import Path

import pytest
from django.conf import settings

from telemetry.core.lint import RULES
from tenants.roles import Role
from tests.studio.visitors import text_of, visitor
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

LIST = "/studio/lint-rules/"


def page(rule: str) -> str:
    return f"{LIST}{rule}/"


def source_of(rule: str) -> str:
    return (Path(settings.BASE_DIR) / "docs" / "lint" / f"{rule}.md").read_text(encoding="utf-8")


def shown_examples(html: str) -> dict[str, str]:
    """The examples on the page as they would be copied, by ``bad`` and ``good``."""
    found = re.findall(r'<pre class="document example example--(\w+)"[^>]*>(.*?)</pre>', html, re.DOTALL)
    lines = {role: re.findall(r"<(?:del|ins|span)>(.*?)</(?:del|ins|span)>", inside) for role, inside in found}
    return {role: unescape("\n".join(each)) for role, each in lines.items()}


def test_the_list_leads_to_the_page_of_every_rule() -> None:
    html = visitor(Role.VIEWER).get(LIST).content.decode()

    assert [name for name in RULES if f'id="{name}"' not in html or f'href="{page(name)}"' not in html] == []


@pytest.mark.parametrize("rule", RULES)
def test_the_page_of_a_rule_shows_the_text_and_both_examples_of_its_document(rule: str) -> None:
    source = source_of(rule)
    response = visitor(Role.VIEWER).get(page(rule))

    examples = shown_examples(response.content.decode())
    for role in ("bad", "good"):
        (written,) = re.findall(rf"^```yaml {role}\n(.*?)\n```$", source, re.MULTILINE | re.DOTALL)
        assert examples[role] == written
    words = text_of(response)
    why = source.split("## Why\n")[1].split("\n## ")[0]
    for paragraph in why.strip().split("\n\n"):
        assert " ".join(paragraph.replace("`", "").split()) in words


def test_what_differs_between_the_examples_is_marked() -> None:
    html = visitor(Role.VIEWER).get(page("sampling_too_low")).content.decode()

    assert re.findall(r"<del>(.*?)</del>", html) == []
    assert re.findall(r"<ins>(.*?)</ins>", html) == ["  tags:", "  - high-volume"]


def test_what_the_examples_take_for_granted_is_shown() -> None:
    response = visitor(Role.VIEWER).get(page("event_spec_missing"))

    assert "The contracts that are known: - shop.order_placed@1" in text_of(response)


@pytest.mark.parametrize("rule", ["nothing_here", "README"])
def test_there_is_no_page_of_anything_else(rule: str) -> None:
    assert visitor(Role.VIEWER).get(page(rule)).status_code == 404


@pytest.mark.parametrize("role", list(Role))
def test_every_member_reads_the_rules(role: Role) -> None:
    asked = visitor(role, make_tenant())

    assert {asked.get(LIST).status_code, asked.get(page("why_missing")).status_code} == {200}


def test_somebody_without_a_role_reads_none() -> None:
    assert {visitor().get(LIST).status_code, visitor().get(page("why_missing")).status_code} == {403}
