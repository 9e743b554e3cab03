"""System checks: the studio refuses to run with settings that are unsafe.

``manage.py check`` and ``migrate`` show them; web and workers, which Django does not check, call
``refuse_unsafe_settings`` when they start. The checks of the deploy kind bind every studio that others can reach.
"""

from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, connections

__all__ = ["is_loopback", "refuse_unsafe_settings"]

# Characters. Django asks for 50 in SECRET_KEY; the others are 256-bit keys, and 32 random bytes in base64 are 43.
SECRETS = {"SECRET_KEY": 50, "STUDIO_API_KEY_PEPPER": 43, "STUDIO_PSEUDONYM_KEY": 43}
# Lists of secrets, the newest first; what they are for is off while they are empty.
RENEWABLE_SECRETS = ("STUDIO_QUARANTINE_KEYS", "STUDIO_CREDENTIAL_KEYS", "STUDIO_RECEIPT_KEYS")
UNIQUE_CHARACTERS_MINIMUM = 10
PLACEHOLDERS = ("django-insecure-", "changeme", "change-me", "replace-me", "example", "secret")
POSTGRESQL_MINIMUM = 150_000  # 15: views that respect row-level security

Messages = list[CheckMessage]


def refuse_unsafe_settings() -> None:
    """The settings are safe for what this process is about to do.

    Raises ``ImproperlyConfigured`` with one line per finding. Never asks the database.
    """
    deployed = not settings.STUDIO_INSECURE_LOCAL
    findings = run_checks(tags=[Tags.security, "studio"], include_deployment_checks=deployed)
    errors = [f"{finding.id}: {finding.msg}" for finding in findings if finding.is_serious()]
    if errors:
        raise ImproperlyConfigured("\n".join(errors))


def is_loopback(host: str) -> bool:
    """Whether ``host`` (a name or an address, without port) is this machine and can be reached from it alone."""
    if host in ("localhost", "testserver"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@register("studio")
def check_secrets(**_: Any) -> Messages:
    """Each secret is there, long, random enough, and none is used twice."""
    findings: Messages = []
    values = {name: _secret(name) for name in SECRETS}
    for name, minimum in SECRETS.items():
        if rule := _weakness(values[name], minimum):
            hint = "Make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
            findings.append(Error(f"{name}: {rule}", hint=hint, id="studio.E001"))
    present = [value for value in values.values() if value]
    if len(set(present)) < len(present):
        findings.append(Error(f"{', '.join(SECRETS)}: must differ from each other", id="studio.E002"))
    return findings


@register("studio")
def check_renewable_secrets(**_: Any) -> Messages:
    """Each secret that has successors is as good as the others, and none of them."""
    used = {_secret(name) for name in SECRETS}
    findings: Messages = []
    for name in RENEWABLE_SECRETS:
        for secret in getattr(settings, name):
            rule = _weakness(secret, 43) or ("must differ from the other secrets" if secret in used else "")
            if rule:
                findings.append(Error(f"{name}: each {rule}", id="studio.E011"))
            used.add(secret)
    return findings


@register("studio")
def check_metrics_token(**_: Any) -> Messages:
    """What opens ``/metrics`` cannot be guessed."""
    rule = _weakness(settings.STUDIO_METRICS_TOKEN, 32) if settings.STUDIO_METRICS_TOKEN else None
    return [Error(f"STUDIO_METRICS_TOKEN: {rule}", id="studio.E012")] if rule else []


@register("studio")
def check_proposal_hook(**_: Any) -> Messages:
    """What the web hook of proposals is told is signed with a secret that cannot be guessed."""
    if not settings.STUDIO_PROPOSAL_HOOK_URL:
        return []
    rule = _weakness(settings.STUDIO_PROPOSAL_HOOK_SECRET, 32)
    return [Error(f"STUDIO_PROPOSAL_HOOK_SECRET: {rule}", id="studio.E021")] if rule else []


@register("studio")
def check_servers(**_: Any) -> Messages:
    """The database and the broker are named."""
    findings: Messages = []
    if settings.DATABASES["default"]["ENGINE"] != "studio.postgresql":
        findings.append(_missing("DATABASE_URL", "postgresql://login@host/database"))
    if not settings.CELERY_BROKER_URL:
        findings.append(_missing("REDIS_URL", "redis://host:6379/0"))
    return findings


@register("studio")
def check_insecure_local(**_: Any) -> Messages:
    """Plain HTTP is for this machine alone."""
    if not settings.STUDIO_INSECURE_LOCAL or all(map(is_loopback, settings.ALLOWED_HOSTS)):
        return []
    return [
        Error(
            "STUDIO_INSECURE_LOCAL: is only for loopback hosts, and STUDIO_ALLOWED_HOSTS has others", id="studio.E004"
        )
    ]


@register("studio", deploy=True)
def check_hosts(**_: Any) -> Messages:
    """The hosts are named one by one: any host at all would let a request choose where links in it lead."""
    if settings.ALLOWED_HOSTS and "*" not in settings.ALLOWED_HOSTS:
        return []
    return [Error("STUDIO_ALLOWED_HOSTS: must name the hosts, without *", id="studio.E005")]


@register("studio", deploy=True)
def check_debug(**_: Any) -> Messages:
    """Debug pages show settings and variables to whoever causes an error."""
    return [Error("STUDIO_DEBUG: must be off", id="studio.E006")] if settings.DEBUG else []


@register("studio", deploy=True)
def check_origins(**_: Any) -> Messages:
    """Forms are accepted from encrypted pages only."""
    if all(urlsplit(origin).scheme == "https" for origin in settings.CSRF_TRUSTED_ORIGINS):
        return []
    return [Error("STUDIO_CSRF_TRUSTED_ORIGINS: each must begin with https://", id="studio.E007")]


@register("studio", deploy=True)
def check_public_url(**_: Any) -> Messages:
    """Links in alerts lead to an encrypted page."""
    if not settings.STUDIO_PUBLIC_URL or settings.STUDIO_PUBLIC_URL.startswith("https://"):
        return []
    return [Error("STUDIO_PUBLIC_URL: must begin with https://", id="studio.E012")]


@register("studio", deploy=True)
def check_plain_http(**_: Any) -> Messages:
    """A deployed studio speaks HTTPS."""
    return [Error("STUDIO_INSECURE_LOCAL: must be off", id="studio.E008")] if settings.STUDIO_INSECURE_LOCAL else []


@register(Tags.database)
def check_database_version(*, databases: Iterable[str] | None = None, **_: Any) -> Messages:
    """The server is new enough."""
    old = [alias for alias in databases or () if _version(alias) < POSTGRESQL_MINIMUM]
    return [Error(f"The database {alias!r} must be PostgreSQL 15 or later", id="studio.E009") for alias in old]


@register(Tags.database, deploy=True)
def check_database_login(*, databases: Iterable[str] | None = None, **_: Any) -> Messages:
    """The login is no superuser and cannot evade row-level security: it would see every tenant after RESET ROLE."""
    return [
        Error(f"The login of the database {alias!r} must be NOSUPERUSER NOBYPASSRLS", id="studio.E010")
        for alias in databases or ()
        if _login_evades_policies(alias)
    ]


def _secret(name: str) -> str:
    """The secret; empty if it is not set, which Django reports for ``SECRET_KEY`` by an exception of its own."""
    try:
        return str(getattr(settings, name))
    except ImproperlyConfigured:
        return ""


def _weakness(value: str, minimum: int) -> str | None:
    """The rule that a secret breaks; None if it is good."""
    if not value:
        return "must be set"
    if len(value) < minimum or len(set(value)) < UNIQUE_CHARACTERS_MINIMUM:
        return f"must have at least {minimum} random characters"
    if value.lower().startswith(PLACEHOLDERS):
        return "must not be a placeholder"
    return None


def _missing(name: str, example: str) -> CheckMessage:
    return Error(f"{name}: must be set, as in {example}", id="studio.E003")


def _version(alias: str) -> int:
    try:
        with connections[alias].temporary_connection() as cursor:
            return int(cursor.connection.info.server_version)
    except OperationalError:
        # Whoever needs the database will say that it is away; this check is about its version.
        return POSTGRESQL_MINIMUM


def _login_evades_policies(alias: str) -> bool:
    try:
        with connections[alias].temporary_connection() as cursor:
            cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = session_user")
            (answer,) = cursor.fetchone()
            return bool(answer)
    except OperationalError:
        return False
