"""The demo workspace: loaded once, whole, with its secrets in one private file."""

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.contrib.auth import authenticate as sign_in
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Sum
from pytest_django import Settings

from telemetry.core.codec import checksum
from telemetry.core.config import EffectiveConfig
from telemetry.core.spec import Quarantine
from telemetry.models import (
    AlertChannel,
    ArchiveFile,
    DeliveryRecord,
    EventRemoval,
    HeldEvent,
    Notification,
    Proposal,
    ProviderRecord,
    SpecVersion,
    StoredEvent,
)
from telemetry.selectors.bindings import bindings_of
from telemetry.services.alerts.delivering import notify_once
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.archiving.files import file_problems
from telemetry.services.configs import effective_config
from telemetry.services.demo.workspace import load_demo
from tenants.actors import actor_of_user
from tenants.context import ALL, tenant_context
from tenants.mappers import override_of
from tenants.models import FloorExceptionRecord, Installation
from tenants.selectors import planned_periods
from tenants.services.keys import authenticate
from tests.core.builders import make_redaction, make_sigil_spec
from tests.telemetry.factories import everything_stored
from tests.tenants.factories import make_tenant, make_user

pytestmark = pytest.mark.django_db

SPEC = settings.BASE_DIR / "examples" / "sigil.telemetry.yaml"


def run(file: Path) -> str:
    output = io.StringIO()
    call_command("load_demo", "--credentials-file", str(file), stdout=output, stderr=output)
    return output.getvalue()


def load(file: Path) -> Any:
    run(file)
    return json.loads(file.read_text())


def config_of(key: str) -> EffectiveConfig:
    with transaction.atomic():
        installation = authenticate(key).installation
        assert installation is not None
        return effective_config(installation)


def test_an_empty_studio_gets_the_seeds_spec_as_its_first_version(tmp_path: Path) -> None:
    load(tmp_path / "credentials.json")

    version = SpecVersion.objects.get()

    assert (version.spec.name, version.version, version.status) == ("sigil.telemetry", 1, "published")
    sigil = make_sigil_spec()
    assert sigil.config is not None
    config = msgspec.structs.replace(sigil.config, quarantine=Quarantine(days=7))
    assert version.checksum == checksum(msgspec.structs.replace(sigil, config=config))
    assert [(binding.label, binding.version) for binding in bindings_of("sigil.telemetry")] == [("the app sigil", None)]


def test_what_the_days_of_the_demo_ask_for_waits_as_proposals(tmp_path: Path) -> None:
    load(tmp_path / "credentials.json")

    with tenant_context(ALL):
        found = {proposal.rule: proposal for proposal in Proposal.objects.all()}
    assert {proposal.status for proposal in found.values()} == {"pending"}
    assert found["personal_property_unflagged"].subject == "step"
    assert "required_property_missing" in found


def test_the_keys_fetch_configs_that_differ_as_the_tenants_do(tmp_path: Path) -> None:
    keys = load(tmp_path / "credentials.json")["api_keys"]

    acme, globex = config_of(keys["acme"]), config_of(keys["globex"])

    assert [(config.tenant, config.app, config.environment.value) for config in (acme, globex)] == [
        ("acme", "sigil", "production"),
        ("globex", "sigil", "production"),
    ]
    assert [config.events[0].sampling.rate for config in (acme, globex)] == [1, 0.25]
    assert [config.events[0].retention.days for config in (acme, globex)] == [14, 7]
    assert [config.events[0].properties["userId"].redaction for config in (acme, globex)] == [
        make_redaction("mask"),
        make_redaction("drop"),
    ]
    assert acme.missing == globex.missing == ()
    assert all(not provenance.limited for config in (acme, globex) for provenance in config.provenance.values())


def test_a_change_is_planned_and_an_exception_from_the_floor_runs(tmp_path: Path) -> None:
    load(tmp_path / "credentials.json")

    with tenant_context(ALL):
        acme, globex = Installation.objects.order_by("id")
        (period,) = planned_periods(acme)
        (exception,) = FloorExceptionRecord.objects.all()
        assert (period.config.number, period.config.status) == (2, "preview")
        assert override_of(period.config).events["sigil.telemetry.workflow_step"].sampling_rate == 0.1
        assert (exception.installation, exception.ends_at > exception.starts_at) == (globex, True)


def test_there_is_something_to_mend_and_something_to_send_again(tmp_path: Path) -> None:
    load(tmp_path / "credentials.json")

    with tenant_context(ALL):
        provider = ProviderRecord.objects.select_related("installation__tenant").get()
        states = sorted(DeliveryRecord.objects.values_list("state", "count"))
        assert HeldEvent.objects.exists()
        assert (provider.installation.tenant.slug, provider.is_enabled) == ("acme", False)
        assert provider.delivered == states[1][1] > 0
        assert states == [("dead", 1), ("delivered", provider.delivered)]
        assert (provider.last_error, provider.last_status) == ("answered", 422)


def test_a_studio_that_can_keep_no_secrets_has_no_provider_and_holds_nothing(
    tmp_path: Path, settings: Settings
) -> None:
    settings.STUDIO_CREDENTIAL_KEYS = settings.STUDIO_QUARANTINE_KEYS = []

    load(tmp_path / "credentials.json")

    with tenant_context(ALL):
        assert not ProviderRecord.objects.exists()
        assert not HeldEvent.objects.exists()


def test_people_can_sign_in_and_see_what_is_theirs(tmp_path: Path) -> None:
    credentials = load(tmp_path / "credentials.json")

    admin = sign_in(username=credentials["username"], password=credentials["password"])
    analyst = sign_in(username="acme-analyst", password=credentials["people"]["acme-analyst"])

    assert admin is not None
    assert analyst is not None
    assert actor_of_user(admin).can("people.manage")
    assert not actor_of_user(analyst).can("view")
    with tenant_context(actor_of_user(admin).tenant_ids):
        assert Installation.objects.count() == 2
    with tenant_context(actor_of_user(analyst).tenant_ids):
        assert [installation.tenant.slug for installation in Installation.objects.all()] == ["acme"]


def test_secrets_are_in_the_file_for_its_owner_alone_and_are_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    file.write_text("from before")
    file.chmod(0o644)

    output = run(file)

    credentials = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]
    for secret in (*credentials["people"].values(), *credentials["api_keys"].values()):
        assert secret not in output
        assert secret not in repr(everything_stored())


def test_a_second_start_loads_nothing_and_keeps_the_file(tmp_path: Path) -> None:
    file = tmp_path / "credentials.json"
    load(file)
    before, text = everything_stored(), file.read_text()

    output = run(file)

    assert "nothing was loaded" in output
    assert everything_stored() == before
    assert file.read_text() == text


@pytest.mark.parametrize("make", [make_tenant, make_user])
def test_a_studio_with_tenants_or_people_of_its_own_is_left_alone(make: Callable[[str], Any], tmp_path: Path) -> None:
    make("admin")
    before = everything_stored()

    run(tmp_path / "credentials.json")

    assert everything_stored() == before
    assert list(tmp_path.iterdir()) == []


def test_without_a_place_for_the_secrets_nothing_is_loaded(tmp_path: Path) -> None:
    before = everything_stored()

    with pytest.raises(CommandError, match="No such file or directory"):
        run(tmp_path / "nowhere" / "credentials.json")

    assert everything_stored() == before
    assert not get_user_model().objects.exists()


def test_the_file_is_loaded_exactly_as_it_is(tmp_path: Path) -> None:
    other = SPEC.read_bytes().replace(b"Core Sigil product telemetry", b"Another description")

    is_loaded = load_demo(spec_document=other, credentials_file=tmp_path / "credentials.json")

    assert is_loaded
    with tenant_context(ALL):
        assert SpecVersion.objects.get().spec.description == "Another description"


def test_the_slow_quarter_of_an_hour_is_told_where_mails_are_files(tmp_path: Path, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    load(tmp_path / "credentials.json")
    with tenant_context(ALL):
        channel = AlertChannel.objects.get()

    evaluate_due()
    while notify_once(channel.pk):
        pass

    with tenant_context(ALL):
        assert list(Notification.objects.order_by("id").values_list("kind", "state")) == [
            ("test", "delivered"),
            ("opened", "delivered"),
        ]
    # Mails of one minute are in one file or in several, by the connections that sent them.
    mails = "".join(file.read_text() for file in (tmp_path / "mail").iterdir())
    assert "Subject: [test] [opened] sigil.telemetry.workflow_step" in mails
    assert "are above the maximum of 1,500" in mails
    assert "on-call@acme.example" not in mails


def test_with_a_real_mail_server_nobody_is_told_of_the_demo(tmp_path: Path) -> None:
    load(tmp_path / "credentials.json")

    with tenant_context(ALL):
        assert not AlertChannel.objects.exists()


def test_a_day_of_events_is_in_the_archive_and_nowhere_else(tmp_path: Path) -> None:
    load(tmp_path / "credentials.json")

    with tenant_context(ALL):
        file = ArchiveFile.objects.select_related("installation__tenant").get()
        archived = EventRemoval.objects.aggregate(rows=Sum("archived"))["rows"]
        left = StoredEvent.with_expired.filter(installation=file.installation, received_at__lte=file.received_until)
        assert not left.exists()
    assert (file.state, file.installation.tenant.slug) == ("kept", "acme")
    assert file.rows == archived > 0
    assert file_problems(file, file.installation) == []
