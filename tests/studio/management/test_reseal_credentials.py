"""Renewing the key of credentials: everything is sealed anew, and what cannot be is told."""

import io
import secrets

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from telemetry.models import ProviderRecord
from telemetry.services.credentials import open_credential
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation, make_provider, make_published

pytestmark = pytest.mark.django_db

OLD, NEW, LOST = (secrets.token_urlsafe(48) for _ in range(3))


def run() -> str:
    output = io.StringIO()
    call_command("reseal_credentials", stdout=output)
    return output.getvalue()


def opened() -> dict[str, str]:
    with tenant_context(ALL):
        return {each.name: open_credential(each) for each in ProviderRecord.objects.all()}


def test_after_it_ran_the_old_key_can_be_taken_away(settings: Settings) -> None:
    make_published()
    settings.STUDIO_CREDENTIAL_KEYS = [OLD]
    for slug in ("acme", "globex"):
        make_provider(make_installation(slug), name=slug, credential=f"a signing secret of {slug}")
    make_provider(make_installation("initech"), name="open", credential="")

    settings.STUDIO_CREDENTIAL_KEYS = [NEW, OLD]
    said = [run(), run()]
    settings.STUDIO_CREDENTIAL_KEYS = [NEW]

    assert said == ["2 sealed under the newest key.\n"] * 2
    assert opened() == {"acme": "a signing secret of acme", "globex": "a signing secret of globex", "open": ""}


def test_what_cannot_be_opened_stays_as_it_is_and_is_counted_and_the_others_are_sealed(settings: Settings) -> None:
    make_published()
    settings.STUDIO_CREDENTIAL_KEYS = [LOST]
    lost = make_provider(make_installation("acme"), name="lost")
    settings.STUDIO_CREDENTIAL_KEYS = [OLD]
    kept = make_provider(make_installation("globex"), name="kept", credential="a signing secret that is kept")
    settings.STUDIO_CREDENTIAL_KEYS = [NEW, OLD]

    with pytest.raises(CommandError, match=r"^1 cannot be opened") as refused:
        run()

    settings.STUDIO_CREDENTIAL_KEYS = [NEW]
    with tenant_context(ALL):
        found = {each.name: each for each in ProviderRecord.objects.all()}
    assert found["lost"].sealed == lost.sealed
    assert found["kept"].sealed != kept.sealed
    assert open_credential(found["kept"]) == "a signing secret that is kept"
    assert "secret" not in str(refused.value)


def test_more_of_them_than_one_transaction_takes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.credentials._SLICE", 2)
    make_published()
    settings.STUDIO_CREDENTIAL_KEYS = [OLD]
    installation = make_installation()
    for number in range(5):
        make_provider(installation, name=f"hook {number}", credential=f"a signing secret, {number}")
    settings.STUDIO_CREDENTIAL_KEYS = [NEW, OLD]

    assert run() == "5 sealed under the newest key.\n"

    settings.STUDIO_CREDENTIAL_KEYS = [NEW]
    assert opened() == {f"hook {number}": f"a signing secret, {number}" for number in range(5)}
