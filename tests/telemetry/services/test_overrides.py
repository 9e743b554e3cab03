"""A tenant's override is checked against what it meets, when it is saved and again when it goes live."""

from typing import Any

import pytest

from telemetry.core.config import (
    AnomalyOverride,
    AppBlueprint,
    EventOverride,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, NotFound, StaleRevision
from telemetry.core.spec import Deprecation, Threshold
from telemetry.models import SpecRecord
from telemetry.services.configs import effective_config
from telemetry.services.overrides import (
    find_override_errors,
    publish_override,
    read_override,
    rollback_override,
    save_override,
)
from telemetry.services.publishing import archive_version, publish_version
from telemetry.services.specs import delete_event, save_event
from tenants.actors import SYSTEM
from tenants.context import tenant_context
from tenants.mappers import override_of
from tenants.models import Installation, TenantAppConfig
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.telemetry.factories import everything_stored, make_draft, make_installation, make_published
from tests.tenants.factories import make_actor, make_tenant

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
STEP = "sigil.telemetry.workflow_step"
QUARTER = TenantOverride(events={STEP: EventOverride(sampling_rate=0.25)})


def save(installation: Installation, override: TenantOverride, checksum: str | None = None) -> TenantAppConfig:
    return save_override(actor=SYSTEM, installation=installation, override=override, expected_checksum=checksum)


def publish(config: TenantAppConfig, live: int | None = None, **changes: Any) -> TenantAppConfig:
    arguments: dict[str, Any] = {
        "actor": SYSTEM,
        "config": config,
        "change_summary": "A good reason",
        "expected_checksum": config.checksum,
        "expected_published_number": live,
    }
    return publish_override(**arguments | changes)


def found(installation: Installation, override: TenantOverride) -> list[tuple[str, str]]:
    return [(error.code, error.path) for error in find_override_errors(installation, override)]


def on_step(**fields: Any) -> TenantOverride:
    return TenantOverride(events={STEP: EventOverride(**fields)})


# What is accepted


def test_a_saved_override_waits_until_it_is_published() -> None:
    make_published()
    installation = make_installation()

    draft = save(installation, QUARTER)

    assert effective_config(installation).events[0].sampling.rate == 1
    published = publish(draft)
    assert effective_config(installation).events[0].sampling.rate == 0.25
    assert override_of(published) == QUARTER
    assert effective_config(installation).revision == Installation.objects.get().config_revision


@pytest.mark.parametrize(
    "override",
    [
        TenantOverride(),
        TenantOverride(enabled=False),
        TenantOverride(default_sampling_rate=0.5),
        TenantOverride(undeclared_properties=UndeclaredPolicy.QUARANTINE),
        TenantOverride(spec=SpecPointer(name=NAME, version=1)),
        on_step(enabled=False),
        on_step(privacy=PrivacyLevel.SENSITIVE),
        on_step(retention_days=7),
        on_step(redaction={"userId": make_redaction("drop"), "step": make_redaction("hash")}),
        on_step(anomaly_detection=AnomalyOverride(thresholds=(Threshold(metric="durationMs", max=10),))),
        TenantOverride(events={f"{STEP}@1": EventOverride(enabled=False)}),
    ],
)
def test_every_part_of_an_override_works_alone(override: TenantOverride) -> None:
    make_published()
    installation = make_installation()

    published = publish(save(installation, override))

    assert override_of(published) == override
    assert effective_config(installation).missing == ()


def test_without_a_bound_spec_an_override_can_bring_its_own() -> None:
    make_published()
    installation = make_installation(blueprint=AppBlueprint())

    assert found(installation, TenantOverride(enabled=False)) == [("no_spec_bound", "spec")]
    assert found(installation, TenantOverride()) == []
    assert found(installation, TenantOverride(spec=SpecPointer(name=NAME), enabled=False)) == []


# What is refused


@pytest.mark.parametrize(
    ("override", "expected", "hint"),
    [
        (TenantOverride(spec=SpecPointer(name="sigil.telemetri")), ("unknown_spec", "spec.name"), f"'{NAME}'"),
        (TenantOverride(spec=SpecPointer(name="drafted")), ("unknown_spec", "spec.name"), "no version"),
        (TenantOverride(spec=SpecPointer(name=NAME, version=9)), ("unknown_spec", "spec.version"), "not published"),
        (
            TenantOverride(events={"sigil.telemetry.workflow_stop": EventOverride()}),
            ("unknown_event", 'events["sigil.telemetry.workflow_stop"]'),
            f"'{STEP}'",
        ),
        (
            TenantOverride(events={f"{STEP}@2": EventOverride(enabled=False)}),
            ("unknown_event", f'events["{STEP}@2"]'),
            f"'{STEP}@1'",
        ),
        (
            on_step(redaction={"userID": make_redaction("drop")}),
            ("unknown_property", f'events["{STEP}"].redaction.userID'),
            "'userId'",
        ),
        (
            on_step(redaction={"durationMs": make_redaction("email_domain")}),
            ("bad_redaction", f'events["{STEP}"].redaction.durationMs.strategy'),
            "string",
        ),
        (
            on_step(anomaly_detection=AnomalyOverride(thresholds=(Threshold(metric="duration", max=1),))),
            ("unknown_metric", f'events["{STEP}"].anomalyDetection.thresholds[0].metric'),
            "declared property",
        ),
        (on_step(privacy=PrivacyLevel.PUBLIC), ("loosens", f'events["{STEP}"].privacy'), "tightened"),
        (on_step(retention_days=31), ("loosens", f'events["{STEP}"].retentionDays'), "tightened"),
        (
            on_step(redaction={"userId": make_redaction("hash")}),
            ("loosens", f'events["{STEP}"].redaction.userId'),
            "tightened",
        ),
        (on_step(sampling_rate=0.01), ("below_floor", f'events["{STEP}"].samplingRate'), "floor"),
        (
            TenantOverride(undeclared_properties=UndeclaredPolicy.KEEP),
            ("loosens", "undeclaredProperties"),
            "tightened",
        ),
    ],
)
def test_what_does_not_fit_or_loosens_is_named_and_nothing_is_stored(
    override: TenantOverride, expected: tuple[str, str], hint: str
) -> None:
    make_published()
    make_draft(make_spec(name="drafted"))
    installation = make_installation()
    save_floor(
        actor=SYSTEM,
        app=None,
        floor=PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.05)),
        expected_revision=0,
    )
    before = everything_stored()

    with pytest.raises(InvalidDocument) as error:
        save(installation, override)

    assert [(each.code, each.path) for each in error.value.errors] == [expected]
    assert hint in error.value.errors[0].message
    assert everything_stored() == before


def test_every_fault_is_named_at_once() -> None:
    make_published()
    installation = make_installation()

    errors = found(
        installation,
        TenantOverride(
            events={
                "nothing": EventOverride(enabled=False),
                STEP: EventOverride(privacy=PrivacyLevel.PUBLIC, redaction={"nobody": make_redaction("drop")}),
            }
        ),
    )

    assert errors == [
        ("unknown_event", "events.nothing"),
        ("unknown_property", f'events["{STEP}"].redaction.nobody'),
        ("loosens", f'events["{STEP}"].privacy'),
    ]


def test_a_fault_in_several_versions_of_an_event_is_named_once() -> None:
    properties = {"count": make_property("number")}
    make_published(make_spec(make_event("a", 1, properties=properties), make_event("a", 2, properties=properties)))
    installation = make_installation()

    errors = found(
        installation, TenantOverride(events={"a": EventOverride(redaction={"count": make_redaction("email_domain")})})
    )

    assert errors == [("bad_redaction", "events.a.redaction.count.strategy")]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b'{"events":{"a":{"samplingRate":7.5}}}', ("out_of_range", "events.a.samplingRate")),
        (b'{"events":{"a":{"samplingRate":-1}}}', ("out_of_range", "events.a.samplingRate")),
        (b'{"events":{"a":{"retentionDays":0}}}', ("out_of_range", "events.a.retentionDays")),
        (b'{"enable":false}', ("unknown_key", "enable")),
        (b"enabled: perhaps", ("wrong_type", "enabled")),
    ],
)
def test_a_document_that_is_no_override_says_where(document: bytes, expected: tuple[str, str]) -> None:
    with pytest.raises(InvalidDocument) as error:
        read_override(document)

    assert [(each.code, each.path) for each in error.value.errors] == [expected]


def test_a_document_in_yaml_is_read_as_well() -> None:
    text = f"events:\n  {STEP}:\n    samplingRate: 0.25\n"

    assert read_override(text) == QUARTER


def test_an_archived_version_cannot_be_chosen() -> None:
    make_published()
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event("second"))
    publish_version(actor=SYSTEM, name=NAME, expected_revision=3, change_summary="A good reason")
    archive_version(actor=SYSTEM, name=NAME, version=1)
    installation = make_installation()

    assert found(installation, TenantOverride(spec=SpecPointer(name=NAME, version=1))) == [
        ("unknown_spec", "spec.version")
    ]


# The world moves on between saving and publishing


def test_a_draft_that_the_floor_has_overtaken_does_not_go_live() -> None:
    make_published()
    installation = make_installation()
    draft = save(installation, QUARTER)
    save_floor(
        actor=SYSTEM, app=None, floor=PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.5)), expected_revision=0
    )
    before = everything_stored()

    with pytest.raises(InvalidDocument) as error:
        publish(draft)

    assert [(each.code, each.path) for each in error.value.errors] == [
        ("below_floor", f'events["{STEP}"].samplingRate')
    ]
    assert everything_stored() == before


def test_a_draft_about_an_event_that_is_gone_does_not_go_live() -> None:
    make_published(make_spec(make_event("first", deprecation=Deprecation(reason="Unused")), make_event("second")))
    installation = make_installation()
    draft = save(installation, TenantOverride(events={"first": EventOverride(enabled=False)}))
    delete_event(actor=SYSTEM, spec_name=NAME, event_name="first", event_version=1)
    revision = SpecRecord.objects.get().draft_revision
    publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="A good reason")

    with pytest.raises(InvalidDocument, match="no such event"):
        publish(draft)


def test_an_old_override_comes_back_only_if_it_still_fits() -> None:
    make_published()
    installation = make_installation()
    publish(save(installation, QUARTER))
    publish(save(installation, TenantOverride()), live=1)

    restored = rollback_override(
        actor=SYSTEM, installation=installation, number=1, change_summary="Back", expected_published_number=2
    )

    assert (restored.number, override_of(restored)) == (3, QUARTER)
    assert effective_config(installation).events[0].sampling.rate == 0.25
    floor = PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.5))
    publish(save(installation, TenantOverride()), live=3)
    save_floor(actor=SYSTEM, app=None, floor=floor, expected_revision=0)
    before = everything_stored()
    with pytest.raises(InvalidDocument, match="floor"):
        rollback_override(
            actor=SYSTEM, installation=installation, number=1, change_summary="Back", expected_published_number=4
        )
    assert everything_stored() == before


def test_somebody_elses_change_is_not_overwritten() -> None:
    make_published()
    installation = make_installation()
    draft = save(installation, QUARTER)
    before = everything_stored()

    with pytest.raises(StaleRevision):
        save(installation, TenantOverride(enabled=False))
    with pytest.raises(StaleRevision):
        publish(draft, live=7)
    with pytest.raises(StaleRevision):
        publish(draft, expected_checksum="0" * 64)
    with pytest.raises((Conflict, NotFound)):
        rollback_override(
            actor=SYSTEM, installation=installation, number=9, change_summary="Back", expected_published_number=1
        )

    assert everything_stored() == before


# Who


def test_who_may_not_edit_or_publish_learns_nothing_and_changes_nothing() -> None:
    make_published()
    installation = make_installation()
    draft = save(installation, QUARTER)
    viewer, analyst = make_actor(Role.VIEWER, installation.tenant), make_actor(Role.ANALYST, installation.tenant)
    stranger = make_actor(Role.ADMIN, make_tenant())
    before = everything_stored()

    for actor in (viewer, stranger):
        with pytest.raises(NotAllowed, match=r"config\.edit"):
            save_override(
                actor=actor,
                installation=installation,
                override=TenantOverride(spec=SpecPointer(name="secret")),
                expected_checksum=draft.checksum,
            )
    for actor in (viewer, analyst, stranger):
        with pytest.raises(NotAllowed, match=r"config\.publish"):
            publish(draft, actor=actor)

    assert everything_stored() == before


def test_another_tenants_installation_does_not_exist() -> None:
    make_published()
    installation = make_installation()
    other = make_tenant()

    with tenant_context([other.pk]), pytest.raises(NotFound):
        save(installation, QUARTER)
