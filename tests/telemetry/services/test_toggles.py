"""Toggles: the part of an override that is edited most, changed without touching the rest."""

import pytest

from telemetry.core.config import AnomalyOverride, EventOverride, SpecPointer, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, StaleRevision
from telemetry.services.configs import effective_config
from telemetry.services.toggles import EventToggle, apply_toggles, publish_toggles, toggles_of, without_toggles
from tenants.actors import SYSTEM
from tenants.mappers import override_of
from tenants.models import ConfigStatus, Installation, TenantAppConfig
from tenants.roles import Role
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_actor, make_draft_config, make_published_config

STEP = "sigil.telemetry.workflow_step"
OFF = TenantOverride(events={STEP: EventOverride(enabled=False)})


# Reading


def test_the_exact_version_wins_over_the_bare_name_field_by_field() -> None:
    override = TenantOverride(
        events={
            "step": EventOverride(enabled=False, sampling_rate=0.5),
            "step@2": EventOverride(enabled=True, retention_days=7),
        }
    )

    assert toggles_of(override, [("step", 1), ("step", 2), ("other", 1)]) == (
        EventToggle("step", 1, enabled=False, sampling_rate=0.5),
        EventToggle("step", 2, enabled=True, sampling_rate=0.5, retention_days=7),
        EventToggle("other", 1),
    )


def test_off_and_zero_are_said_and_not_inherited() -> None:
    override = TenantOverride(
        events={
            "step": EventOverride(enabled=True, sampling_rate=0.5),
            "step@1": EventOverride(enabled=False, sampling_rate=0.0),
        }
    )

    assert toggles_of(override, [("step", 1)]) == (EventToggle("step", 1, enabled=False, sampling_rate=0.0),)


# Writing


def test_an_event_with_one_version_is_written_under_its_bare_name() -> None:
    changed = apply_toggles(TenantOverride(), [EventToggle("step", 1, enabled=False)])

    assert changed == TenantOverride(events={"step": EventOverride(enabled=False)})


def test_an_event_with_several_versions_is_written_under_each() -> None:
    toggles = [EventToggle("step", 1, enabled=False), EventToggle("step", 2)]

    assert apply_toggles(TenantOverride(), toggles) == TenantOverride(events={"step@1": EventOverride(enabled=False)})


def test_a_bare_name_is_split_when_its_versions_part() -> None:
    override = TenantOverride(events={"step": EventOverride(enabled=False, privacy=PrivacyLevel.PII)})

    changed = apply_toggles(override, [EventToggle("step", 1, enabled=False), EventToggle("step", 2, enabled=True)])

    assert changed.events == {
        "step": EventOverride(privacy=PrivacyLevel.PII),
        "step@1": EventOverride(enabled=False),
        "step@2": EventOverride(enabled=True),
    }


def test_what_does_not_change_stays_where_it_was_said() -> None:
    override = TenantOverride(events={"step": EventOverride(enabled=False)})
    toggles = [EventToggle("step", 1, enabled=False), EventToggle("step", 2, enabled=False)]

    assert apply_toggles(override, toggles) == override


def test_everything_that_is_no_toggle_stays() -> None:
    override = TenantOverride(
        spec=SpecPointer(name="other", version=3),
        default_sampling_rate=0.5,
        events={
            "step": EventOverride(privacy=PrivacyLevel.PII, anomaly_detection=AnomalyOverride(enabled=False)),
            "gone": EventOverride(enabled=False),
        },
    )

    changed = apply_toggles(override, [EventToggle("step", 1, sampling_rate=0.25)])

    assert changed.spec == override.spec
    assert changed.default_sampling_rate == 0.5
    assert changed.events == {
        "step": EventOverride(
            privacy=PrivacyLevel.PII, anomaly_detection=AnomalyOverride(enabled=False), sampling_rate=0.25
        ),
        "gone": EventOverride(enabled=False),
    }


def test_an_event_that_inherits_everything_again_leaves_the_override() -> None:
    override = TenantOverride(events={"step@1": EventOverride(enabled=False, retention_days=7)})

    assert apply_toggles(override, [EventToggle("step", 1)]) == TenantOverride()


def test_reading_what_was_written_gives_the_toggles_back() -> None:
    toggles = (
        EventToggle("one", 1, enabled=True, sampling_rate=0.0, retention_days=1),
        EventToggle("two", 1),
        EventToggle("two", 2, enabled=False),
        EventToggle("Order Completed", 7, retention_days=30),
    )

    changed = apply_toggles(TenantOverride(), toggles)

    assert toggles_of(changed, [(toggle.name, toggle.version) for toggle in toggles]) == toggles


def test_without_toggles_nothing_is_left_but_what_else_was_said() -> None:
    override = TenantOverride(
        enabled=False,
        default_sampling_rate=0.5,
        events={"step": EventOverride(enabled=False, retention_days=7, privacy=PrivacyLevel.PII)},
    )

    assert without_toggles(override) == TenantOverride(
        default_sampling_rate=0.5, events={"step": EventOverride(privacy=PrivacyLevel.PII)}
    )


# Publishing


@pytest.fixture
def installation(workspace: None) -> Installation:
    """The seed's example at Acme, without an override."""
    make_published()
    return make_installation("acme")


def publish(installation: Installation, override: TenantOverride, **given: object) -> TenantAppConfig:
    arguments = {
        "actor": SYSTEM,
        "change_summary": "Less",
        "expected_checksum": None,
        "expected_published_number": None,
        **given,
    }
    return publish_toggles(installation=installation, override=override, **arguments)  # type: ignore[arg-type]


def test_toggles_go_live_at_once(installation: Installation) -> None:
    config = publish(installation, OFF)

    assert (config.number, config.status, override_of(config)) == (1, ConfigStatus.PUBLISHED, OFF)
    (event,) = effective_config(installation).events
    assert not event.enabled


def test_the_draft_that_was_seen_goes_live(installation: Installation) -> None:
    draft = make_draft_config(installation, OFF)

    config = publish(installation, TenantOverride(enabled=False), expected_checksum=draft.checksum)

    assert (config.pk, override_of(config)) == (draft.pk, TenantOverride(enabled=False))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PRIVACY_OFFICER])
def test_who_may_not_publish_leaves_not_even_a_draft(installation: Installation, role: Role) -> None:
    actor = make_actor(role, installation.tenant)
    before = everything_stored()

    with pytest.raises(NotAllowed):
        publish(installation, OFF, actor=actor)

    assert everything_stored() == before


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"change_summary": " "}, InvalidDocument),
        ({"expected_checksum": "0" * 64}, StaleRevision),
        ({"expected_published_number": 7}, StaleRevision),
    ],
)
def test_a_refused_publication_leaves_not_even_a_draft(
    installation: Installation, given: dict[str, object], error: type[Exception]
) -> None:
    before = everything_stored()

    with pytest.raises(error):
        publish(installation, OFF, **given)

    assert everything_stored() == before


def test_what_is_live_already_is_not_published_again(installation: Installation) -> None:
    make_published_config(installation, OFF)

    with pytest.raises(Conflict, match="nothing has changed since version 1 went live"):
        publish(installation, OFF, expected_published_number=1)


def test_what_the_app_says_anyway_is_not_published(installation: Installation) -> None:
    with pytest.raises(Conflict, match="nothing has changed since the app's defaults hold"):
        publish(installation, TenantOverride())


def test_wishes_that_would_loosen_are_refused_with_their_paths(installation: Installation) -> None:
    longer = TenantOverride(events={STEP: EventOverride(retention_days=31)})

    with pytest.raises(InvalidDocument) as error:
        publish(installation, longer)

    assert [(each.code, each.path) for each in error.value.errors] == [("loosens", f'events["{STEP}"].retentionDays')]
    assert not TenantAppConfig.objects.exists()
