"""What came in lately is replayed under another config."""

from typing import Any

import pytest
from msgspec.structs import replace

from telemetry.core.codec import encode_spec
from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import PropertyDefinition, Sampling, TelemetrySpec
from telemetry.selectors.configs import config_layers
from telemetry.services.configs import effective_config, preview_config, resolve_layers
from telemetry.services.what_if import sampling
from telemetry.services.what_if.replaying import Change, EventConsequence, replay_events
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_sigil_spec, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sampled")]

STEP = "sigil.telemetry.workflow_step"


def send(installation: Installation, count: int, **fields: Any) -> None:
    """So many events, each of them sampled."""
    for _ in range(count):
        sampling._next_at.clear()
        ingest(installation, make_incoming(**fields))


def with_override(installation: Installation, **fields: Any) -> list[EventConsequence]:
    with tenant_context(ALL):
        after = preview_config(installation, TenantOverride(events={STEP: EventOverride(**fields)}))
        return replay_events(installation, effective_config(installation), after)


def with_spec(installation: Installation, spec: TelemetrySpec) -> list[EventConsequence]:
    with tenant_context(ALL):
        layers = config_layers(installation.pk)
        after = resolve_layers(layers._replace(spec_document=encode_spec(spec).decode()))
        return replay_events(installation, resolve_layers(layers), after)


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation("acme")


def test_what_changes_nothing_has_no_consequence(installation: Installation) -> None:
    send(installation, 2)

    assert with_override(installation, enabled=True) == []


def test_a_lower_rate_keeps_its_share_of_what_came(installation: Installation) -> None:
    send(installation, 8)

    (found,) = with_override(installation, sampling_rate=0.25)

    assert (found.name, found.received, found.kept, found.sample) == (STEP, 8, Change(8, 2), 8)
    assert found.kept.difference == -6
    assert (found.rejected, found.incidents) == (Change(0, 0), None)


def test_a_higher_rate_brings_back_what_was_sampled_out() -> None:
    spec = make_sigil_spec()
    (step,) = spec.events
    make_published(replace(spec, events=(replace(step, sampling=Sampling(rate=0.0)),)))
    installation = make_installation("acme")
    send(installation, 6)

    (found,) = with_override(installation, sampling_rate=0.5)

    assert (found.received, found.kept) == (6, Change(0, 3))


def test_conditions_are_asked_of_the_sampled_events(installation: Installation) -> None:
    for duration in (10, 10, 10, 5000):
        send(installation, 1, properties={"workflow": "deploy", "step": "build", "durationMs": duration})
    spec = make_sigil_spec()
    (step,) = spec.events
    slow = Sampling(rate=1.0, conditions=("properties.durationMs > 1000",))

    config = replace(spec.config, default_sampling_rate=0.0) if spec.config else None
    (found,) = with_spec(installation, replace(spec, config=config, events=(replace(step, sampling=slow),)))

    assert found.kept == Change(4, 1)


def test_an_event_that_is_turned_off_is_kept_no_more(installation: Installation) -> None:
    send(installation, 3)

    (found,) = with_override(installation, enabled=False)

    assert (found.kept, found.hidden) == (Change(3, 0), Change(0, 0))


def test_a_raised_level_hides_more_values(installation: Installation) -> None:
    send(installation, 4)

    (found,) = with_override(installation, privacy=PrivacyLevel.SENSITIVE)

    assert found.kept == Change(4, 4)
    assert found.hidden == Change(0, 12)


def test_a_property_that_is_declared_or_no_longer_required_mends_violations(installation: Installation) -> None:
    send(installation, 3, properties={"workflow": "deploy"})
    send(installation, 1)
    spec = make_sigil_spec()
    (step,) = spec.events

    optional = {**step.properties, "step": PropertyDefinition(type=step.properties["step"].type)}
    (found,) = with_spec(installation, replace(spec, events=(replace(step, properties=optional),)))

    assert (found.received, found.kept, found.rejected) == (4, Change(1, 4), Change(3, 0))
    assert found.violating == Change(3, 0)


def test_an_event_that_the_spec_drops_is_refused(installation: Installation) -> None:
    send(installation, 2)

    found = with_spec(installation, make_spec(make_event("another"), name="sigil.telemetry"))

    (gone,) = [each for each in found if each.is_gone]
    (new,) = [each for each in found if each.is_new]
    assert (gone.name, gone.kept, gone.rejected) == (STEP, Change(2, 0), Change(0, 2))
    assert (new.name, new.received) == ("another", 0)


def test_without_a_sample_the_rates_tell(installation: Installation, settings: Any) -> None:
    settings.STUDIO_SAMPLE_HOURS = 0
    send(installation, 8)

    (found,) = with_override(installation, sampling_rate=0.25)

    assert (found.kept, found.sample) == (Change(8, 2), 0)


def test_anomaly_rules_that_change_are_tried_on_the_past(installation: Installation) -> None:
    send(installation, 2)
    spec = make_sigil_spec()
    (step,) = spec.events
    assert step.anomaly_detection is not None
    off = replace(step.anomaly_detection, enabled=False)

    (found,) = with_spec(installation, replace(spec, events=(replace(step, anomaly_detection=off),)))

    assert found.incidents is not None
    assert found.incidents.after == 0


def test_another_tenants_events_are_not_counted(installation: Installation) -> None:
    send(make_installation("globex"), 5)

    (found,) = with_override(installation, sampling_rate=0.5)

    assert (found.received, found.sample) == (0, 0)
