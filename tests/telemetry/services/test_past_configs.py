"""What was answered at any instant can be told later, whatever has happened since."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from telemetry.core.codec import encode_spec
from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    EventOverride,
    FloorException,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import FloorLimit, PrivacyLevel
from telemetry.core.errors import Conflict, TelemetryError
from telemetry.core.spec import Retention, TelemetrySpec
from telemetry.models import SpecRecord, SpecVersion
from telemetry.selectors.configs import config_layers
from telemetry.selectors.past_configs import past_config_layers
from telemetry.services.configs import effective_config
from telemetry.services.publishing import archive_version, publish_version
from telemetry.services.specs import replace_draft
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App, ConfigPeriod, FloorExceptionRecord, FloorRecord, Installation, TenantAppConfig
from tenants.selectors import draft_config, published_config
from tenants.services.apps import save_blueprint
from tenants.services.config_drafts import save_draft_config
from tenants.services.config_schedules import end_period, schedule_config
from tenants.services.configs import archive_config, publish_config, rollback_config
from tenants.services.floor_exceptions import grant_exception, revoke_exception
from tenants.services.floors import save_floor
from tenants.services.settling import settle_due
from tenants.services.tenants import renew_pseudonym_key
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.clock import pass_time
from tests.tenants.factories import accept_any

pytestmark = pytest.mark.django_db

NAME = "sigil.telemetry"
MINUTE = timedelta(minutes=1)
STEPS = 40

Answer = EffectiveConfig | str


class History:
    """A workspace in which things happen at random, with everything that was answered, and when."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)  # noqa: S311 - a test's dice
        make_published(self.spec())
        self.installation = make_installation()
        self.answers: list[tuple[datetime, int, Answer]] = []

    def run(self) -> None:
        deeds: list[Callable[[], object]] = [
            self.publish_spec,
            self.archive_spec,
            self.change_blueprint,
            self.change_floor,
            self.publish,
            self.schedule,
            self.end_something,
            self.roll_back,
            self.archive,
            self.grant,
            self.revoke,
            self.renew_key,
            settle_due,
        ]
        self.look()
        for _ in range(STEPS):
            # What the state does not allow is refused, and is no change.
            with tenant_context(ALL), suppress(TelemetryError):
                self.draw.choice(deeds)()
            self.look()
            if self.draw.random() < 0.5:
                self.wait(self.draw.randint(1, 30) * MINUTE)
                self.look()

    def look(self) -> None:
        with tenant_context(ALL):
            layers = config_layers(self.installation.pk)
            self.answers.append((layers.at, layers.revision, answer(self.installation)))

    def wait(self, span: timedelta) -> None:
        pass_time(span)
        self.answers = [(at - span, revision, found) for at, revision, found in self.answers]

    # What happens

    def spec(self, version: int = 1) -> TelemetrySpec:
        first = make_event("first", retention=Retention(days=self.draw.randint(10, 400)), privacy=PrivacyLevel.PII)
        return make_spec(first, make_event("second"), version=version)

    def publish_spec(self) -> None:
        record = SpecRecord.objects.get(name=NAME)
        document = encode_spec(self.spec(record.draft_version))
        draft = replace_draft(actor=SYSTEM, name=NAME, document=document, expected_revision=record.draft_revision)
        revision = draft.draft_revision
        publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="Another")

    def archive_spec(self) -> None:
        version = self.draw.choice(list(SpecVersion.objects.all()))
        archive_version(actor=SYSTEM, name=NAME, version=version.version)

    def change_blueprint(self) -> None:
        app = App.objects.get(pk=self.installation.app_id)
        spec = self.draw.choice([None, *[SpecPointer(name=NAME)] * 4])
        blueprint = AppBlueprint(spec=spec, default_sampling_rate=self.draw.random())
        save_blueprint(actor=SYSTEM, app=app, blueprint=blueprint, expected_revision=app.config_revision)

    def change_floor(self) -> None:
        app = self.draw.choice([None, self.installation.app])
        floor = PrivacyFloor(
            maximum_retention_days={PrivacyLevel.PII: self.draw.randint(5, 100)},
            sampling=SamplingBounds(minimum_rate=self.draw.random() / 2),
        )
        record = FloorRecord.objects.filter(app=app).first()
        expected = 0 if record is None else record.config_revision
        save_floor(actor=SYSTEM, app=app, floor=floor, expected_revision=expected)

    def draft(self) -> tuple[TenantAppConfig, int | None]:
        pin = self.draw.choice([None, None, SpecPointer(name=NAME, version=self.draw.randint(1, 3))])
        override = TenantOverride(spec=pin, events={"second": EventOverride(sampling_rate=self.draw.random())})
        before, live = draft_config(self.installation), published_config(self.installation)
        draft = save_draft_config(
            actor=SYSTEM,
            installation=self.installation,
            override=override,
            expected_checksum=None if before is None else before.checksum,
        )
        return draft, None if live is None else live.number

    def publish(self) -> None:
        config, live = self.draft()
        publish_config(
            actor=SYSTEM,
            config=config,
            change_summary="Another",
            expected_checksum=config.checksum,
            expected_published_number=live,
            check=accept_any,
            ends_at=self.draw.choice([None, timezone.now() + self.draw.randint(1, 60) * MINUTE]),
        )

    def schedule(self) -> None:
        config, live = self.draft()
        starts_at = timezone.now() + self.draw.randint(1, 60) * MINUTE
        schedule_config(
            actor=SYSTEM,
            config=config,
            change_summary="Later",
            expected_checksum=config.checksum,
            expected_published_number=live,
            check=accept_any,
            starts_at=starts_at,
            ends_at=self.draw.choice([None, starts_at + self.draw.randint(1, 60) * MINUTE]),
        )

    def end_something(self) -> None:
        periods = list(ConfigPeriod.objects.all())
        if periods:
            end_period(actor=SYSTEM, period=self.draw.choice(periods))

    def roll_back(self) -> None:
        live = published_config(self.installation)
        if live is not None:
            rollback_config(
                actor=SYSTEM,
                installation=self.installation,
                number=self.draw.randint(1, live.number),
                change_summary="Back",
                expected_published_number=live.number,
                check=accept_any,
            )

    def archive(self) -> None:
        configs = list(TenantAppConfig.objects.all())
        if configs:
            archive_config(actor=SYSTEM, config=self.draw.choice(configs))

    def grant(self) -> None:
        starts_at = timezone.now() + self.draw.randint(1, 60) * MINUTE
        grant_exception(
            actor=SYSTEM,
            tenant=self.installation.tenant,
            app=self.installation.app,
            installation=self.draw.choice([None, self.installation]),
            exception=FloorException(limit=FloorLimit.MAXIMUM_RETENTION_DAYS, level=PrivacyLevel.PII),
            reason="Drawn by lot",
            starts_at=self.draw.choice([None, starts_at]),
            ends_at=starts_at + self.draw.randint(1, 60) * MINUTE,
        )

    def revoke(self) -> None:
        records = list(FloorExceptionRecord.objects.all())
        if records:
            revoke_exception(actor=SYSTEM, record=self.draw.choice(records))

    def renew_key(self) -> None:
        renew_pseudonym_key(actor=SYSTEM, tenant=self.installation.tenant)


def answer(installation: Installation, at: datetime | None = None) -> Answer:
    """The config, or why there is none."""
    try:
        return effective_config(installation, at=at)
    except Conflict as error:
        return error.message


@pytest.mark.parametrize("seed", range(6))
def test_every_answer_of_a_random_history_is_told_again(seed: int) -> None:
    history = History(seed)
    history.run()

    with tenant_context(ALL):
        told = [
            (at, past_config_layers(history.installation.pk, at).revision, answer(history.installation, at))
            for at, _, _ in history.answers
        ]

    assert told == history.answers
    distinct = {found if isinstance(found, str) else found.revision for _, _, found in history.answers}
    assert len(distinct) > STEPS / 4


@pytest.mark.parametrize("seed", range(6, 9))
def test_the_revision_tells_all_states_of_a_random_history_apart(seed: int) -> None:
    history = History(seed)
    history.run()

    revisions = [revision for _, revision, _ in history.answers]
    assert revisions == sorted(revisions)
    by_revision: dict[int, Answer] = {}
    for _, revision, found in history.answers:
        assert by_revision.setdefault(revision, found) == found


def test_before_an_installation_was_there_it_had_no_config() -> None:
    make_published()
    installation = make_installation()

    with tenant_context(ALL), pytest.raises(Conflict, match="was not there yet"):
        effective_config(installation, at=timezone.now() - timedelta(days=1))


def test_an_instant_ahead_tells_what_is_planned() -> None:
    history = History(0)
    with tenant_context(ALL):
        history.schedule()
        period = ConfigPeriod.objects.get()

        before = effective_config(history.installation, at=period.starts_at - MINUTE)
        after = effective_config(history.installation, at=period.starts_at)

    assert before.events[1].sampling.rate != after.events[1].sampling.rate
    assert after.revision == before.revision + 1
