"""Who may see the catalog, and what they can take away."""

import csv
import io
from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.errors import NotAllowed
from telemetry.core.spec import Deprecation, Semantics, TelemetryMeta, TelemetrySpec
from telemetry.selectors.catalog import CatalogFilter
from telemetry.services.catalog import catalog, export_catalog
from tenants.actors import SYSTEM, actor_of_user
from tenants.roles import Role
from tests.core.builders import make_event
from tests.telemetry.factories import make_days, make_draft, make_installation
from tests.tenants.factories import make_actor, make_tenant, make_user

pytestmark = pytest.mark.usefixtures("workspace")


def add() -> None:
    events = (
        make_event(
            "order",
            semantics=Semantics(what="=HYPERLINK(1)"),
            tags=("a", "b"),
            review_by="2026-12-31",
            deprecation=Deprecation(reason="Old", replaced_by="order@2"),
        ),
        make_event("order", 2, semantics=Semantics(what='Größe, "neu"')),
    )
    make_draft(
        TelemetrySpec(meta=TelemetryMeta(name="shop", version=1, title="Shop", owners=("@shop",)), events=events)
    )


def read(portions: object) -> list[list[str]]:
    text = b"".join(portions).decode()  # type: ignore[arg-type]
    return list(csv.reader(io.StringIO(text, newline="")))


def test_the_file_has_every_column_and_no_formula() -> None:
    add()
    make_days(make_installation(), [4, 3], name="order", version=2)

    rows = read(export_catalog(actor=SYSTEM, wanted=CatalogFilter()))

    # The time of the day is that of the test.
    rows[2][-1] = rows[2][-1][:10]
    assert ",".join(rows[0]) == (
        "event,version,what,spec,privacy,owners,tags,stability,properties,deprecated,replaced by,review by,findings,"
        "came in 30 days,last seen"
    )
    assert rows[1:] == [
        [
            "order",
            "1",
            "'=HYPERLINK(1)",
            "shop",
            "internal",
            "'@shop",
            "a b",
            "experimental",
            "3",
            "yes",
            "order@2",
            "2026-12-31",
            "0",
            "0",
            "",
        ],
        [
            *("order", "2", 'Größe, "neu"', "shop", "internal", "'@shop", "", "experimental", "3", "no", "", "", "2"),
            *("7", f"{datetime.now(UTC):%Y-%m-%d}"),
        ],
    ]


def test_the_file_holds_what_was_looked_for() -> None:
    add()

    rows = read(export_catalog(actor=SYSTEM, wanted=CatalogFilter(deprecated=False)))

    assert [row[:2] for row in rows] == [["event", "version"], ["order", "2"]]


@pytest.mark.parametrize("events", [1, 1200])
def test_a_large_file_comes_in_portions_from_one_query(
    events: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = tuple(make_event(f"event_{number}", properties={}) for number in range(events))
    make_draft(TelemetrySpec(meta=TelemetryMeta(name="shop", version=1, title="Shop"), events=made))

    with django_assert_num_queries(1):
        portions = list(export_catalog(actor=SYSTEM, wanted=CatalogFilter()))

    assert [portion.count(b"\r\n") for portion in portions] == ([1, 500, 500, 200] if events > 1 else [1, 1])


@pytest.mark.parametrize("role", Role)
def test_everybody_with_a_role_anywhere_sees_the_catalog(role: Role) -> None:
    add()
    member = make_actor(role, make_tenant())

    assert catalog(actor=member, wanted=CatalogFilter()).total == 2


def test_nobody_else_sees_it_and_the_file_is_refused_before_it_begins() -> None:
    stranger = actor_of_user(make_user())

    with pytest.raises(NotAllowed):
        catalog(actor=stranger, wanted=CatalogFilter())
    with pytest.raises(NotAllowed):
        export_catalog(actor=stranger, wanted=CatalogFilter())


def test_pages_count_from_one() -> None:
    add()

    found = [
        [event.version for event in catalog(actor=SYSTEM, wanted=CatalogFilter(), page=page, page_size=1).events]
        for page in (1, 2, 3)
    ]

    assert found == [[1], [2], []]
