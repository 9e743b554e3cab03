"""What the studio refuses to run with."""

import pytest
from django.core.checks import CheckMessage
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from pytest_django import Settings

from studio import checks

GOOD = "kFq2vXw9LmZr7TbYc4NdPs8GhJe3UaRo5WiQx1Vy6Bt0CuDlEnKpMzSf"


@pytest.fixture
def production(settings: Settings) -> Settings:
    """Settings that every check accepts."""
    settings.STUDIO_INSECURE_LOCAL = False
    settings.DEBUG = False
    settings.ALLOWED_HOSTS = ["studio.example.com"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://studio.example.com"]
    settings.SECRET_KEY = GOOD + "1"
    settings.STUDIO_API_KEY_PEPPER = GOOD + "2"
    settings.STUDIO_PSEUDONYM_KEY = GOOD + "3"
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    return settings


def messages(findings: list[CheckMessage]) -> list[str]:
    return [f"{finding.id} {finding.msg}" for finding in findings]


def test_good_production_settings_pass(production: Settings) -> None:
    checks.refuse_unsafe_settings()


def test_the_settings_of_a_local_studio_pass(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost"]

    checks.refuse_unsafe_settings()


@pytest.mark.parametrize("name", ["SECRET_KEY", "STUDIO_API_KEY_PEPPER", "STUDIO_PSEUDONYM_KEY"])
@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ("", "must be set"),
        ("short", "must have at least {minimum} random characters"),
        ("ab" * 40, "must have at least {minimum} random characters"),
        ("django-insecure-" + GOOD, "must not be a placeholder"),
        ("ChangeMe" + GOOD, "must not be a placeholder"),
    ],
)
def test_a_weak_secret_is_refused_by_name_and_rule(production: Settings, name: str, value: str, rule: str) -> None:
    setattr(production, name, value)

    assert messages(checks.check_secrets()) == [f"studio.E001 {name}: {rule.format(minimum=checks.SECRETS[name])}"]
    with pytest.raises(ImproperlyConfigured, match=rf"studio.E001: {name}: must"):
        checks.refuse_unsafe_settings()


def test_one_secret_for_two_purposes_is_refused(production: Settings) -> None:
    production.STUDIO_PSEUDONYM_KEY = production.STUDIO_API_KEY_PEPPER

    assert messages(checks.check_secrets()) == [
        "studio.E002 SECRET_KEY, STUDIO_API_KEY_PEPPER, STUDIO_PSEUDONYM_KEY: must differ from each other"
    ]


def test_missing_servers_are_named(production: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(production.DATABASES["default"], "ENGINE", "django.db.backends.dummy")
    production.CELERY_BROKER_URL = ""

    assert messages(checks.check_servers()) == [
        "studio.E003 DATABASE_URL: must be set, as in postgresql://login@host/database",
        "studio.E003 REDIS_URL: must be set, as in redis://host:6379/0",
    ]


@pytest.mark.parametrize("hosts", [[], ["*"], ["studio.example.com", "*"]])
def test_hosts_must_be_named(production: Settings, hosts: list[str]) -> None:
    production.ALLOWED_HOSTS = hosts

    assert messages(checks.check_hosts()) == ["studio.E005 STUDIO_ALLOWED_HOSTS: must name the hosts, without *"]


def test_debug_is_refused_where_others_can_reach_the_studio(production: Settings) -> None:
    production.DEBUG = True

    with pytest.raises(ImproperlyConfigured, match=r"studio.E006: STUDIO_DEBUG: must be off"):
        checks.refuse_unsafe_settings()


def test_forms_from_plain_http_are_refused(production: Settings) -> None:
    production.CSRF_TRUSTED_ORIGINS = ["https://a.example", "http://b.example"]

    assert messages(checks.check_origins()) == [
        "studio.E007 STUDIO_CSRF_TRUSTED_ORIGINS: each must begin with https://"
    ]


def test_links_in_alerts_lead_to_encrypted_pages(production: Settings) -> None:
    for address in ("", "https://studio.example.com"):
        production.STUDIO_PUBLIC_URL = address
        assert messages(checks.check_public_url()) == []

    production.STUDIO_PUBLIC_URL = "http://studio.example.com"

    assert messages(checks.check_public_url()) == ["studio.E012 STUDIO_PUBLIC_URL: must begin with https://"]


@pytest.mark.parametrize("host", ["studio.example.com", "0.0.0.0", "192.168.1.2", "*", "127.0.0.1.example.com"])
def test_plain_http_is_refused_for_hosts_that_others_can_reach(settings: Settings, host: str) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1", host]

    with pytest.raises(ImproperlyConfigured, match=r"studio.E004: STUDIO_INSECURE_LOCAL: is only for loopback hosts"):
        checks.refuse_unsafe_settings()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_loopback_hosts_are_recognised(host: str) -> None:
    assert checks.is_loopback(host)


def test_plain_http_fails_the_deployment_check(settings: Settings) -> None:
    assert messages(checks.check_plain_http()) == ["studio.E008 STUDIO_INSECURE_LOCAL: must be off"]


@pytest.mark.django_db
def test_a_superuser_as_database_login_fails_the_deployment_check() -> None:
    # Given the login of the embedded server, which is a superuser even while it has become the application role.
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user")
        (is_superuser,) = cursor.fetchone()

    findings = messages(checks.check_database_login(databases=["default"]))

    expected = ["studio.E010 The login of the database 'default' must be NOSUPERUSER NOBYPASSRLS"]
    assert findings == (expected if is_superuser else [])


@pytest.mark.django_db
def test_the_version_of_the_test_database_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_database_version(databases=["default"]) == []

    monkeypatch.setattr(checks, "POSTGRESQL_MINIMUM", 990_000)
    assert messages(checks.check_database_version(databases=["default"])) == [
        "studio.E009 The database 'default' must be PostgreSQL 15 or later"
    ]


def test_checks_of_the_database_ask_nothing_unless_a_database_is_named() -> None:
    assert checks.check_database_version(databases=None) == []
    assert checks.check_database_login(databases=None) == []


@pytest.mark.parametrize("name", checks.RENEWABLE_SECRETS)
@pytest.mark.parametrize(
    ("keys", "rule"),
    [
        ([GOOD + "4", "short"], "each must have at least 43 random characters"),
        ([GOOD + "4", GOOD + "4"], "each must differ from the other secrets"),
        ([GOOD + "2"], "each must differ from the other secrets"),
    ],
)
def test_each_secret_of_a_list_is_looked_at(production: Settings, name: str, keys: list[str], rule: str) -> None:
    setattr(production, name, keys)

    assert messages(checks.check_renewable_secrets()) == [f"studio.E011 {name}: {rule}"]


def test_lists_of_secrets_may_be_empty(production: Settings) -> None:
    production.STUDIO_QUARANTINE_KEYS = production.STUDIO_CREDENTIAL_KEYS = []

    checks.refuse_unsafe_settings()
