"""The event editor under a person's hands: the live preview, rows, tabs, and what is not lost."""

from typing import TYPE_CHECKING, Any

import pytest

from telemetry.models import EventRecord
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.browser.conftest import Person, PersonMaker
from tests.telemetry.factories import make_draft

if TYPE_CHECKING:
    from playwright.sync_api import Dialog, Locator

pytestmark = pytest.mark.django_db(transaction=True)


def the_event() -> EventRecord:
    with tenant_context(ALL):
        return EventRecord.objects.get()


def names() -> list[str]:
    with tenant_context(ALL):
        return list(EventRecord.objects.get().properties.values_list("name", flat=True))


def editing(person: PersonMaker, tab: str = "meaning", **given: Any) -> Person:
    make_draft()
    analyst = person(Role.ANALYST, **given)
    analyst.open(f"/studio/events/{the_event().pk}/change/#{tab}")
    return analyst


def kept(someone: Person, text: str) -> "Locator":
    return someone.page.locator("#event-preview .payload li", has_text=text)


def questions_of(someone: Person) -> list[str]:
    """The kinds of questions that the browser asks from now on; each is answered with yes."""
    asked: list[str] = []

    def answer(dialog: "Dialog") -> None:
        asked.append(dialog.type)
        dialog.accept()

    someone.page.on("dialog", answer)
    return asked


def save(someone: Person) -> None:
    someone.page.locator("#submit-row button[name=_save]").click()
    someone.page.get_by_text("was saved.").wait_for()


def test_a_level_changes_what_is_kept_at_once_and_is_saved_only_by_saving(person: PersonMaker) -> None:
    analyst = editing(person, "privacy")
    assert kept(analyst, "workflow").inner_text().split() == ["workflow", '"example', 'text"']

    analyst.page.get_by_role("radio", name="sensitive").check()

    kept(analyst, "level sensitive").first.wait_for()
    assert kept(analyst, "level sensitive").count() == 3
    assert the_event().privacy == "internal"
    save(analyst)
    assert the_event().privacy == "sensitive"
    # The answer opens at the same tab.
    assert analyst.page.get_by_role("tab", name="Privacy").get_attribute("aria-selected") == "true"
    assert analyst.complaints == []


def test_an_error_shows_beside_its_field_and_at_its_tab_while_one_types(person: PersonMaker) -> None:
    analyst = editing(person, "sampling")
    page = analyst.page

    page.get_by_label("Share of subjects kept").fill("25 %")
    page.get_by_label("Condition 1", exact=True).fill("properties.durationMs > 100")
    page.get_by_label("Condition 2", exact=True).fill("properties.nothing == 1")

    error = page.locator("[data-condition] .field__error")
    error.wait_for()
    assert "column" in error.inner_text()
    assert page.get_by_label("Condition 2", exact=True).get_attribute("aria-invalid") == "true"
    assert page.get_by_role("tab", name="Sampling 1 to correct").is_visible()
    page.get_by_label("Condition 2", exact=True).fill("")
    error.wait_for(state="detached")
    save(analyst)
    assert the_event().sampling_conditions == ["properties.durationMs > 100"]
    assert analyst.complaints == []


def test_properties_are_added_moved_and_removed_by_keyboard(person: PersonMaker) -> None:
    analyst = editing(person)
    page = analyst.page

    page.get_by_role("tab", name="Meaning").focus()
    page.keyboard.press("ArrowRight")
    page.get_by_role("button", name="Move workflow down").focus()
    page.keyboard.press("Enter")
    page.locator("[name=properties-3-DELETE]").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Add property").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("outcome")

    kept(analyst, "outcome").wait_for()
    assert kept(analyst, "userId").count() == 0
    save(analyst)
    assert names() == ["step", "workflow", "durationMs", "outcome"]
    assert analyst.complaints == []


def test_leaving_with_unsaved_changes_asks_first(person: PersonMaker) -> None:
    analyst = editing(person, "properties")
    asked = questions_of(analyst)

    analyst.page.get_by_role("button", name="Move step up").click()
    analyst.open("/studio/")

    assert asked == ["beforeunload"]
    assert names()[0] == "workflow"


def test_looking_alone_asks_nothing(person: PersonMaker) -> None:
    analyst = editing(person)
    asked = questions_of(analyst)

    analyst.page.get_by_role("tab", name="Privacy").click()
    analyst.page.get_by_label("Example payload").fill('{"workflow": "a", "step": "b"}')
    analyst.open("/studio/")

    assert asked == []


def test_everything_works_without_scripts(person: PersonMaker) -> None:
    analyst = editing(person, java_script_enabled=False)
    page = analyst.page

    page.get_by_role("radio", name="pii").check()
    page.get_by_role("button", name="Move step up").click()
    page.get_by_role("button", name="Check without saving").click()

    assert analyst.says("Checked. Nothing was saved.")
    assert kept(analyst, "level pii").count() == 2
    assert (the_event().privacy, names()[0]) == ("internal", "workflow")
    page.locator("#submit-row button[name=_save]").click()
    assert (the_event().privacy, names()[:2]) == ("pii", ["step", "workflow"])


@pytest.mark.parametrize("width", [390, 1280, 1920])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_tab_is_wider_than_the_screen(person: PersonMaker, width: int, scheme: str) -> None:
    analyst = editing(person, width=width, color_scheme=scheme)

    for tab in analyst.page.get_by_role("tab").all():
        tab.click()
        assert analyst.page.evaluate("document.documentElement.scrollWidth") <= width
    beside = analyst.page.locator(".editor__aside").bounding_box()
    form = analyst.page.locator(".editor__main").bounding_box()
    assert beside is not None
    assert form is not None
    assert (beside["x"] > form["x"] + form["width"]) == (width >= 1280)
