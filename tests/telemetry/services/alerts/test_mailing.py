"""Alerts by mail: through a real SMTP conversation, and what is made of a server that refuses."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from telemetry.models import AlertChannel, Notification
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case, notify_all, told
from tests.telemetry.services.alerts.mail_server import MailServer, mail_server

pytestmark = pytest.mark.django_db

PEOPLE = ("ana@acme.example", "bo@acme.example")


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def post(settings: Settings) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.STUDIO_PUBLIC_URL = "https://studio.example.com"
        settings.DEFAULT_FROM_EMAIL = "Studio <studio@example.com>"
        yield server


def fresh(channel: AlertChannel) -> AlertChannel:
    with tenant_context(ALL):
        return AlertChannel.objects.get(pk=channel.pk)


def test_a_mail_goes_to_each_address_and_shows_none(installation: Installation, post: MailServer) -> None:
    channel = make_channel(installation.tenant, addresses=PEOPLE)
    case = Case(installation)
    case.judge()

    notify_all(channel)

    [mail] = post.mails
    with tenant_context(ALL):
        row = Notification.objects.get()
    assert post.recipients == [["TO:<ana@acme.example>", "TO:<bo@acme.example>"]]
    assert mail["To"] == "Studio <studio@example.com>"
    assert "acme.example" not in str(mail)
    assert mail["Subject"] == "[opened] sigil.telemetry.workflow_step at acme production"
    assert mail["Message-ID"] == f"<{row.public_id.hex}@studio.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    text = str(mail.get_payload())
    assert f"https://studio.example.com/studio/incidents/{case.incident().pk}/#handle" in text
    assert "4711" not in text
    assert row.state == "delivered"


def test_words_of_a_spec_start_no_header(installation: Installation, post: MailServer) -> None:
    channel = make_channel(installation.tenant, addresses=PEOPLE, subject="{rule}")
    Case(installation, rule="slow\r\nBcc: eve@evil.example\r\n\r\n<script>").judge()

    notify_all(channel)

    [mail] = post.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "slow Bcc: eve@evil.example <script>"
    assert len(post.recipients[0]) == 2


@pytest.mark.parametrize(
    ("command", "answer", "state", "error"),
    [
        ("DATA", "451 later", "waiting", "mail_refused"),
        ("DATA", "554 spam", "dead", "mail_refused"),
        ("MAIL", "421 busy", "waiting", "mail_refused"),
        ("RCPT", "550 nobody", "dead", "mail_refused"),
        ("RCPT", "450 full", "waiting", "mail_refused"),
        ("EHLO", "500 what", "waiting", "unreachable_connection"),
    ],
)
def test_a_server_that_refuses_is_tried_again_if_that_may_pass(
    installation: Installation, post: MailServer, command: str, answer: str, state: str, error: str
) -> None:
    channel = make_channel(installation.tenant, addresses=PEOPLE)
    post.answers[command] = answer
    if command == "EHLO":
        post.answers["HELO"] = answer
    Case(installation).judge()

    notify_all(channel)

    assert told() == [("opened", state, "")]
    assert fresh(channel).last_error == error
    assert post.mails == []


def test_one_address_that_is_refused_keeps_the_mail_from_nobody_else(
    installation: Installation, post: MailServer
) -> None:
    channel = make_channel(installation.tenant, addresses=PEOPLE)
    post.answers["RCPT TO:<ana@acme.example>"] = "550 nobody"
    Case(installation).judge()

    notify_all(channel)

    assert post.recipients == [["TO:<bo@acme.example>"]]
    assert told() == [("opened", "delivered", "")]


def test_a_server_that_is_away_is_tried_again(installation: Installation, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    channel = make_channel(installation.tenant, addresses=PEOPLE)
    Case(installation).judge()

    notify_all(channel)

    assert fresh(channel).last_error == "unreachable_connection"
    paused_until = fresh(channel).paused_until
    assert paused_until is not None
    assert paused_until > datetime.now(UTC)


def test_without_a_mail_server_it_waits_and_says_so(installation: Installation, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    channel = make_channel(installation.tenant, addresses=PEOPLE)
    Case(installation).judge()

    notify_all(channel)

    assert told() == [("opened", "waiting", "")]
    assert fresh(channel).last_error == "mail_not_set_up"


def test_a_directory_takes_mails_as_files(installation: Installation, settings: Settings, tmp_path: Path) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    channel = make_channel(installation.tenant, addresses=PEOPLE)
    Case(installation).judge()

    notify_all(channel)

    [file] = (tmp_path / "mail").iterdir()
    assert "[opened] sigil.telemetry.workflow_step" in file.read_text()
