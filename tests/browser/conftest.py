"""A real browser in front of a real server.

It is the system's Chromium, driven by Playwright's package; nothing is downloaded. Where there is none, these tests are
skipped and say so.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connections

from tenants.models import Tenant
from tenants.roles import Role
from tests.tenants.factories import make_membership, make_user

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

# No sandbox, because tests may run as root in a container; no background traffic, because they run without a network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "a long enough password"  # that of tests.tenants.factories.make_user


def chromium() -> str | None:
    """Where the system's Chromium is."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    usual = "/usr/bin/chromium"
    return found or (usual if Path(usual).exists() else None)


@pytest.fixture
def browser(live_server: "LiveServer", monkeypatch: pytest.MonkeyPatch) -> Iterator["Browser"]:
    """A Chromium without a window, for one test: gone before the database is emptied.

    Playwright keeps an event loop in this thread, and Django would refuse to query beside it; the queries of a test
    are nonetheless its own, one after the other.
    """
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # The server's threads would keep their connections, and the test database could not be dropped.
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", 0)
    sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    program = chromium()
    if program is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_api.sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield launched
        launched.close()
        # Beside an event loop Django keeps connections apart from those that the end of the test closes.
        connections.close_all()


class Person:
    """Somebody with an open page, who is signed in."""

    def __init__(self, page: "Page", address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def open(self, path: str) -> None:
        """The page is loaded."""
        self.page.goto(self.address + path)

    def sign_in(self, user: User) -> None:
        """As this person."""
        self.open("/studio/login/")
        self.page.fill("[name=username]", user.username)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("#login-form button[type=submit]")

    def says(self, text: str) -> bool:
        """Whether the page shows the text, now or within ten seconds: a click does not wait for the next page."""
        for _ in range(100):
            if text in " ".join(self.page.inner_text("body").split()):
                return True
            self.page.wait_for_timeout(100)
        return False


PersonMaker = Callable[..., Person]


@pytest.fixture
def person(browser: "Browser", live_server: "LiveServer") -> Iterator[PersonMaker]:
    """``person(role, tenant, width=390)``: somebody new, signed in, in a browser of their own.

    ``superuser=True`` needs no role. Further arguments are the browser's, such as ``java_script_enabled=False``.
    """
    opened = []

    def make(
        role: Role | None = None,
        tenant: Tenant | None = None,
        *,
        superuser: bool = False,
        width: int = 1280,
        **given: Any,
    ) -> Person:
        user = make_user(is_superuser=superuser)
        if role is not None:
            make_membership(user, role, tenant)
        context = browser.new_context(viewport={"width": width, "height": 900}, **given)
        opened.append(context)
        someone = Person(context.new_page(), live_server.url)
        someone.sign_in(user)
        return someone

    yield make
    for context in opened:
        context.close()
