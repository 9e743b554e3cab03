"""Publishing is the same work however many installations obey; what each of them gets is worked out when it asks."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from telemetry.models import SpecRecord
from telemetry.selectors.configs import config_revision
from telemetry.services import configs
from telemetry.services.configs import config_document
from telemetry.services.publishing import publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event
from tests.telemetry.factories import everything_stored, make_installation, make_published

pytestmark = pytest.mark.django_db

NAME = "sigil.telemetry"


def publish(number: int) -> tuple[int, int]:
    """One changed event is published: how many statements that took, and how many rows it added or changed."""
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=NAME, event=make_event(f"event_{number}"))
        revision = SpecRecord.objects.get(name=NAME).draft_revision
        before = rows()
        with CaptureQueriesContext(connection) as captured:
            publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="A good reason")
        return len(captured), len(rows() - before)


def rows() -> set[tuple[str, str]]:
    stored: dict[str, list[dict[str, Any]]] = everything_stored()
    return {(label, repr(sorted(row.items()))) for label, found in stored.items() for row in found}


def fetch(installation: Installation) -> bytes:
    with tenant_context([installation.tenant_id]):
        return config_document(installation, config_revision(installation.pk)).body


def test_the_work_does_not_grow_with_the_installations_that_obey() -> None:
    make_published()
    for number in range(2):
        make_installation(f"few-{number}")
    few = publish(1)
    for number in range(25):
        make_installation(f"many-{number}")

    many = publish(2)

    assert many == few


def test_a_published_version_is_resolved_once_for_all_that_are_alike() -> None:
    make_published()
    first = make_installation("first")
    blueprint = first.app.blueprint
    others = [make_installation(f"other-{number}") for number in range(5)]
    assert {other.app.blueprint for other in others} == {blueprint}
    publish(1)
    fetch(first)
    known = len(configs._documents)

    bodies = {fetch(other) for other in others}

    assert len(bodies) == 5
    assert len(configs._documents) == known
