"""Apps fetch while people publish: each answer is one whole state, under the revision of that state."""

import json
from functools import partial
from typing import Any

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.models import SpecRecord
from telemetry.selectors.configs import config_revision
from telemetry.services.configs import config_document
from telemetry.services.publishing import publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tests.core.builders import make_event
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_published_config
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "sigil.telemetry"
STEP = "sigil.telemetry.workflow_step"
CHANGES = 8
READS = 60


def publish_specs() -> list[Any]:
    for number in range(CHANGES):
        with tenant_context(ALL):
            save_event(actor=SYSTEM, spec_name=NAME, event=make_event(f"event_{number}"))
            revision = SpecRecord.objects.get(name=NAME).draft_revision
            publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="A good reason")
    return []


def publish_overrides(installation: Installation) -> list[Any]:
    for number in range(CHANGES):
        rate = number / CHANGES
        make_published_config(installation, TenantOverride(events={STEP: EventOverride(sampling_rate=rate)}))
    return []


def fetch(installation: Installation) -> list[Any]:
    documents = []
    for _ in range(READS):
        with tenant_context([installation.tenant_id]):
            documents.append(config_document(installation, config_revision(installation.pk)))
    return documents


def truth(action: str, key: str, revision: int) -> int:
    """What the trace says was live at this revision."""
    with tenant_context(ALL):
        details = AuditEntry.objects.filter(action=action).order_by("id").values_list("details", flat=True)
        return max((entry[key] for entry in details if entry["config_revision"] <= revision), default=0)


def test_no_answer_is_ever_a_mixture_or_older_than_its_revision() -> None:
    make_published()
    installation = make_installation()

    results = run_together(
        publish_specs,
        partial(publish_overrides, installation),
        partial(fetch, installation),
        partial(fetch, installation),
    )

    readers = [result for result in results[2:] if isinstance(result, list)]
    assert [len(reader) for reader in readers] == [READS, READS]
    bodies: dict[int, bytes] = {}
    for reader in readers:
        revisions = [document.revision for document in reader]
        assert revisions == sorted(revisions)
        for document in reader:
            assert bodies.setdefault(document.revision, document.body) == document.body
    for revision, body in bodies.items():
        read = json.loads(body)
        assert read["revision"] == revision
        assert read["spec"]["version"] == truth("spec.version.published", "version", revision)
        number = truth("config.version.published", "number", revision)
        rate = next(event["sampling"]["rate"] for event in read["events"] if event["name"] == STEP)
        assert rate == (1 if number == 0 else (number - 1) / CHANGES)
