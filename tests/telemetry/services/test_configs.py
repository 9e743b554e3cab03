"""What apps fetch: the right spec, every layer, and never an old document under a new revision."""

import base64
import json
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    EventOverride,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.config_documents import ConfigDocuments
from telemetry.core.enums import Environment, FloorStrategy, Layer, PrivacyLevel
from telemetry.core.errors import Conflict, NotFound
from telemetry.core.events import PseudonymKey
from telemetry.models import SpecRecord
from telemetry.selectors.configs import config_revision
from telemetry.services import configs
from telemetry.services.configs import config_document, config_etag, effective_config, preview_config
from telemetry.services.publishing import publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import tenant_context
from tenants.models import App, FloorRecord, Installation, Tenant
from tenants.pseudonym_key import installation_pseudonym_key
from tenants.services.apps import save_blueprint
from tenants.services.floors import save_floor
from tenants.services.tenants import renew_pseudonym_key
from tests.core.builders import make_event, make_redaction, make_sigil_spec, make_spec
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_published_config, make_tenant

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
STEP = "sigil.telemetry.workflow_step"


def publish_another(event_name: str = "second") -> None:
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event(event_name))
    revision = SpecRecord.objects.get(name=NAME).draft_revision
    publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="A good reason")


def set_floor(floor: PrivacyFloor, app: App | None = None) -> None:
    known = FloorRecord.objects.filter(app=app).first()
    save_floor(actor=SYSTEM, app=app, floor=floor, expected_revision=known.config_revision if known else 0)


def fetched(installation: Installation, **variant: bool) -> Any:
    document = config_document(installation, config_revision(installation.pk), **variant)
    return json.loads(document.body)


# Which spec


def test_the_blueprint_binds_an_app_to_the_latest_version() -> None:
    version = make_published()
    installation = make_installation()

    config = effective_config(installation)

    assert (config.spec.name, config.spec.version, config.spec.checksum) == (NAME, 1, version.checksum)
    assert (config.tenant, config.app, config.environment) == (
        "acme",
        installation.app.slug,
        Environment.PRODUCTION,
    )
    assert config.sampling_salt == installation.tenant.sampling_salt
    publish_another()
    assert effective_config(installation).spec.version == 2


@pytest.mark.parametrize(
    ("blueprint", "override", "version"),
    [
        (SpecPointer(name=NAME, version=1), None, 1),
        (SpecPointer(name=NAME), SpecPointer(name=NAME, version=1), 1),
        (SpecPointer(name=NAME, version=1), SpecPointer(name=NAME), 2),
        (None, SpecPointer(name=NAME), 2),
        (SpecPointer(name="nothing"), SpecPointer(name=NAME), 2),
    ],
)
def test_the_tenants_pointer_wins_and_either_may_pin_a_version(
    blueprint: SpecPointer | None, override: SpecPointer | None, version: int
) -> None:
    make_published()
    publish_another()

    installation = make_installation(
        blueprint=AppBlueprint(spec=blueprint), override=None if override is None else TenantOverride(spec=override)
    )

    assert effective_config(installation).spec.version == version


def test_an_override_without_a_pointer_still_holds() -> None:
    make_published()

    installation = make_installation(override=TenantOverride(events={STEP: EventOverride(sampling_rate=0.25)}))

    assert effective_config(installation).events[0].sampling.rate == 0.25


@pytest.mark.parametrize(
    ("blueprint", "message"),
    [
        (AppBlueprint(), "no spec is bound"),
        (AppBlueprint(spec=SpecPointer(name="nothing")), "nothing is not published"),
        (AppBlueprint(spec=SpecPointer(name=NAME, version=7)), r"sigil\.telemetry in version 7 is not published"),
    ],
)
def test_without_a_published_spec_the_config_says_what_is_missing(blueprint: AppBlueprint, message: str) -> None:
    make_published()
    installation = make_installation(blueprint=blueprint)

    with pytest.raises(Conflict, match=message):
        effective_config(installation)
    with pytest.raises(Conflict, match=message):
        config_document(installation, config_revision(installation.pk))


def test_an_installation_outside_the_context_does_not_exist() -> None:
    make_published()
    installation = make_installation()
    other = make_tenant("globex")

    with tenant_context([other.pk]):
        with pytest.raises(NotFound):
            effective_config(installation)
        with pytest.raises(NotFound):
            config_revision(installation.pk)
        with pytest.raises(NotFound):
            preview_config(installation, TenantOverride())
        assert other.slug == "globex"


# All layers together


def test_floors_of_organisation_and_app_hold_at_once() -> None:
    make_published()
    installation = make_installation(
        override=TenantOverride(events={STEP: EventOverride(sampling_rate=0.01, redaction={})})
    )
    set_floor(PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.05)))
    set_floor(PrivacyFloor(minimum_redaction={PrivacyLevel.INTERNAL: FloorStrategy.DROP}), installation.app)

    config = effective_config(installation)

    event = config.events[0]
    assert event.sampling.rate == 0.05
    assert event.properties["userId"].redaction == make_redaction("drop")
    assert config.provenance[f"events[{STEP}@1].sampling.rate"].layer == Layer.FLOOR


def test_another_apps_floor_means_nothing() -> None:
    make_published()
    installation, other = make_installation("acme"), make_installation("globex")

    set_floor(PrivacyFloor(forced_off=(STEP,)), other.app)

    assert effective_config(installation).events[0].enabled
    assert not effective_config(other).events[0].enabled


def test_a_draft_override_changes_nothing_but_can_be_previewed(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_published()
    make_published(make_spec(make_event("elsewhere"), name="other"))
    installation = make_installation(override=TenantOverride(events={STEP: EventOverride(sampling_rate=0.5)}))
    before = effective_config(installation)

    with django_assert_num_queries(1):
        off = preview_config(installation, TenantOverride(enabled=False))
    with django_assert_num_queries(2):
        moved = preview_config(installation, TenantOverride(spec=SpecPointer(name="other")))

    assert not off.enabled
    assert off.events[0].sampling.rate == 1
    assert moved.spec.name == "other"
    assert effective_config(installation) == before
    with pytest.raises(Conflict, match="nothing is not published"):
        preview_config(installation, TenantOverride(spec=SpecPointer(name="nothing")))


# Freshness


def test_every_change_that_can_alter_the_config_raises_its_revision() -> None:
    make_published()
    installation = make_installation()
    seen = [config_revision(installation.pk)]

    def noted() -> bool:
        seen.append(config_revision(installation.pk))
        return seen[-1] > seen[-2] and effective_config(installation).revision == seen[-1]

    publish_another()
    assert noted()
    save_blueprint(
        actor=SYSTEM,
        app=installation.app,
        blueprint=AppBlueprint(spec=SpecPointer(name=NAME), enabled=True),
        expected_revision=installation.app.config_revision,
    )
    assert noted()
    make_published_config(installation, TenantOverride(enabled=False))
    assert noted()
    set_floor(PrivacyFloor(forced_off=(STEP,)))
    assert noted()
    set_floor(PrivacyFloor(forced_on=(STEP,)), installation.app)
    assert noted()
    renew_pseudonym_key(actor=SYSTEM, tenant=installation.tenant)
    assert noted()


def test_what_does_not_concern_an_installation_leaves_its_revision() -> None:
    make_published()
    installation, other = make_installation("acme"), make_installation("globex")
    before = config_revision(installation.pk)

    make_published(make_spec(make_event("elsewhere"), name="other"))
    make_published_config(other, TenantOverride(enabled=False))
    set_floor(PrivacyFloor(forced_off=(STEP,)), other.app)
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event("drafted"))

    assert config_revision(installation.pk) == before


def test_the_revision_rises_when_the_tenant_moves_to_a_spec_published_long_ago() -> None:
    make_published(make_spec(make_event("elsewhere"), name="other"))
    make_published()
    installation = make_installation()
    before = config_revision(installation.pk)

    make_published_config(installation, TenantOverride(spec=SpecPointer(name="other")))

    assert config_revision(installation.pk) > before
    assert effective_config(installation).spec.name == "other"


def test_a_revision_costs_one_query_and_a_document_one_more_while_the_process_knows_no_parts(
    django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configs, "_documents", ConfigDocuments(1_000_000))
    make_published()
    installation = make_installation(override=TenantOverride(enabled=True))
    set_floor(PrivacyFloor())

    with django_assert_num_queries(1):
        revision = config_revision(installation.pk)
    with django_assert_num_queries(1):
        effective_config(installation)
    with django_assert_num_queries(2):
        first = config_document(installation, revision)
    with django_assert_num_queries(0):
        again = config_document(installation, revision)

    assert again == first


def test_a_document_carries_the_revision_of_what_it_says() -> None:
    make_published()
    installation = make_installation()
    revision = config_revision(installation.pk)
    # Somebody publishes between the reading of the revision and that of the documents.
    publish_another()

    document = config_document(installation, revision)

    body = json.loads(document.body)
    assert body["spec"]["version"] == 2
    assert body["revision"] == document.revision == config_revision(installation.pk) > revision
    assert document.etag == config_etag(installation.public_id, document.revision)


def test_a_document_from_before_is_not_answered_for_a_later_revision() -> None:
    make_published()
    installation = make_installation()
    old = config_document(installation, config_revision(installation.pk))

    make_published_config(installation, TenantOverride(enabled=False))
    new = config_document(installation, config_revision(installation.pk))

    assert (json.loads(old.body)["enabled"], json.loads(new.body)["enabled"]) == (True, False)
    assert old.etag != new.etag


# The document


def test_the_document_is_the_config_and_nothing_more() -> None:
    make_published(make_sigil_spec())
    installation = make_installation()

    body = fetched(installation)

    fields = {field for field in EffectiveConfig.__struct_encode_fields__ if field != "provenance"}
    assert body.keys() == fields
    assert body["format"] == 1
    assert body["events"][0]["name"] == STEP
    assert body["events"][0]["properties"]["userId"]["redaction"] == {"strategy": "mask"}


def test_the_pseudonym_key_comes_only_when_asked_for() -> None:
    make_published()
    installation = make_installation()
    key = installation_pseudonym_key(installation.tenant)

    with_key = fetched(installation, with_secret=True)

    assert with_key["pseudonymKey"] == {"epoch": 1, "secret": base64.b64encode(key.secret).decode()}
    assert "pseudonymKey" not in fetched(installation)


def test_a_renewed_key_comes_with_the_next_document() -> None:
    make_published()
    installation = make_installation()
    first = fetched(installation, with_secret=True)["pseudonymKey"]

    # Another object than the one that came with the installation, as in another process.
    renew_pseudonym_key(actor=SYSTEM, tenant=Tenant.objects.get(pk=installation.tenant_id))
    second = fetched(installation, with_secret=True)["pseudonymKey"]

    assert (first["epoch"], second["epoch"]) == (1, 2)
    assert first["secret"] != second["secret"]


def test_no_two_variants_or_installations_share_an_entity_tag() -> None:
    installations = [make_installation("acme"), make_installation("globex")]

    tags = [
        config_etag(installation.public_id, revision, explain=explain, with_secret=with_secret)
        for installation in installations
        for revision in (1, 2)
        for explain in (False, True)
        for with_secret in (False, True)
    ]

    assert len(set(tags)) == 16
    assert all(tag.startswith('W/"2-') and tag.endswith('"') for tag in tags)


def test_a_document_keeps_its_body_out_of_logs() -> None:
    make_published()
    installation = make_installation()
    key: PseudonymKey = installation_pseudonym_key(installation.tenant)

    document = config_document(installation, config_revision(installation.pk), with_secret=True)

    assert base64.b64encode(key.secret) in document.body
    assert base64.b64encode(key.secret).decode() not in repr(document)
