"""Each tenant's key for pseudonyms, and its renewal."""

import hashlib
import hmac

import pytest
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from tenants.models import Tenant
from tenants.pseudonym_key import installation_pseudonym_key


def test_the_key_is_derived_from_the_setting_the_salt_and_the_epoch(settings: Settings) -> None:
    settings.STUDIO_PSEUDONYM_KEY = "master"
    tenant = Tenant(slug="acme", pseudonym_salt="salt", pseudonym_epoch=3)

    key = installation_pseudonym_key(tenant)

    assert key.epoch == 3
    assert key.secret == hmac.new(b"master", b"salt|3", hashlib.sha256).digest()


def test_tenants_epochs_and_settings_have_different_keys(settings: Settings) -> None:
    acme, globex = Tenant(slug="acme"), Tenant(slug="globex")
    secrets = {
        installation_pseudonym_key(acme).secret,
        installation_pseudonym_key(acme, epoch=2).secret,
        installation_pseudonym_key(globex).secret,
    }
    settings.STUDIO_PSEUDONYM_KEY = "another"
    secrets.add(installation_pseudonym_key(acme).secret)

    assert len(secrets) == 4


def test_an_earlier_epoch_still_finds_its_key() -> None:
    tenant = Tenant(slug="acme")
    before = installation_pseudonym_key(tenant)
    tenant.pseudonym_epoch = 2

    assert installation_pseudonym_key(tenant, epoch=1) == before
    assert installation_pseudonym_key(tenant) != before


def test_without_the_setting_there_is_no_key(settings: Settings) -> None:
    settings.STUDIO_PSEUDONYM_KEY = ""

    with pytest.raises(ImproperlyConfigured, match="STUDIO_PSEUDONYM_KEY"):
        installation_pseudonym_key(Tenant(slug="acme"))
