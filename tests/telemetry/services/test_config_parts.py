"""Parts of configs that are made when something is published, for processes that know nothing yet."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, SpecPointer, TenantOverride
from telemetry.core.config_documents import ConfigDocuments
from telemetry.models import ConfigParts, SpecRecord
from telemetry.selectors.configs import config_revision
from telemetry.services import blueprints, config_parts, configs
from telemetry.services.config_cache import BoundedCache
from telemetry.services.config_parts import prepare_parts
from telemetry.services.configs import config_document
from telemetry.services.publishing import publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.models import Installation
from tenants.services.floors import save_floor
from tests.core.builders import make_event
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_app

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
STEP = "sigil.telemetry.workflow_step"


def publish_another(event_name: str = "second") -> None:
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event(event_name))
    revision = SpecRecord.objects.get(name=NAME).draft_revision
    publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="A good reason")


def body_in_new_process(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(configs, "_documents", ConfigDocuments(1_000_000))
    monkeypatch.setattr(configs, "_cache", BoundedCache(0, lambda _document: 1))
    return config_document(installation, config_revision(installation.pk)).body


def test_a_process_that_knows_nothing_takes_what_publishing_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published()
    installation = make_installation()
    publish_another()
    prepared = body_in_new_process(installation, monkeypatch)
    sets = ConfigParts.objects.filter(version__version=2)

    sets.update(parts=sets.get().parts.replace('"privacy":"internal"', '"privacy":"public"'))
    taken = body_in_new_process(installation, monkeypatch)
    ConfigParts.objects.all().delete()
    resolved = body_in_new_process(installation, monkeypatch)

    assert taken != prepared
    assert taken == prepared.replace(b'"privacy":"internal"', b'"privacy":"public"')
    assert resolved == prepared


@pytest.mark.parametrize(
    "override",
    [
        TenantOverride(events={STEP: EventOverride(enabled=False)}),
        TenantOverride(default_sampling_rate=0.25),
        TenantOverride(enabled=False),
    ],
    ids=["one event", "all events", "everything"],
)
def test_what_a_tenant_wishes_holds_whatever_is_prepared(
    override: TenantOverride, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_published()
    installation = make_installation(override=override)
    publish_another()

    prepared = body_in_new_process(installation, monkeypatch)
    ConfigParts.objects.all().delete()

    assert prepared == body_in_new_process(installation, monkeypatch)


def test_parts_from_before_a_floor_are_not_taken_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published()
    installation = make_installation()
    publish_another()

    save_floor(actor=SYSTEM, app=None, floor=PrivacyFloor(forced_off=(STEP,)), expected_revision=0)
    body = body_in_new_process(installation, monkeypatch)
    publish_another("third")

    parts = json.loads(ConfigParts.objects.get(version__version=3).parts)
    assert [event["enabled"] for event in json.loads(body)["events"]] == [False, True]
    assert [event["enabled"] for event in parts] == [False, True, True]


def test_binding_an_app_prepares_too_and_once() -> None:
    make_published()
    bound = AppBlueprint(spec=SpecPointer(name=NAME))

    app = blueprints.create_app(actor=SYSTEM, slug="shop", name="Shop", blueprint=bound)
    blueprints.create_app(actor=SYSTEM, slug="till", name="Till", blueprint=bound)
    blueprints.save_blueprint(
        actor=SYSTEM,
        app=app,
        blueprint=AppBlueprint(spec=bound.spec, enabled=False),
        expected_revision=app.config_revision,
    )

    assert ConfigParts.objects.count() == 2


def test_publishing_costs_as_many_queries_for_many_installations_as_for_one() -> None:
    make_published()
    make_installation()
    with CaptureQueriesContext(connection) as one:
        publish_another()
    for number in range(5):
        make_installation(f"tenant-{number}", blueprint=AppBlueprint(spec=SpecPointer(name=NAME)))

    with CaptureQueriesContext(connection) as many:
        publish_another("third")

    assert len(many) == len(one)
    assert ConfigParts.objects.filter(version__version=3).count() == 1


def test_only_so_many_sets_are_made_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_parts, "MOST_SETS", 2)
    monkeypatch.setattr(config_parts, "MOST_KEPT", 3)
    make_published()
    for number in range(4):
        make_app(blueprint=AppBlueprint(spec=SpecPointer(name=NAME), default_sampling_rate=number / 10))

    prepare_parts(NAME)
    made = list(ConfigParts.objects.values_list("version__version", flat=True))
    publish_another()

    assert made == [1, 1]
    assert list(ConfigParts.objects.values_list("version__version", flat=True)) == [2, 2, 1]


def test_parts_of_another_program_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published()
    installation = make_installation()
    publish_another()
    before = body_in_new_process(installation, monkeypatch)
    ConfigParts.objects.update(parts="[]")

    monkeypatch.setattr(config_parts, "FORMAT", 3)

    assert body_in_new_process(installation, monkeypatch) == before
