"""The typed readers of environment variables."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from studio.settings import env

NAME = "STUDIO_READER_UNDER_TEST"


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv(NAME, raising=False)
    return monkeypatch


def test_text_is_trimmed_and_an_empty_value_counts_as_unset(variable: pytest.MonkeyPatch) -> None:
    variable.setenv(NAME, "  value ")
    assert env.text(NAME) == "value"

    variable.setenv(NAME, "   ")
    assert env.text(NAME, "default") == "default"
    with pytest.raises(ImproperlyConfigured, match=f"^{NAME}: must be set$"):
        env.text(NAME)


def test_text_outside_the_choices_is_refused_without_repeating_it(variable: pytest.MonkeyPatch) -> None:
    variable.setenv(NAME, "hunter2")

    with pytest.raises(ImproperlyConfigured) as refused:
        env.text(NAME, choices=("INFO", "ERROR"))

    assert str(refused.value) == f"{NAME}: must be one of INFO, ERROR"


@pytest.mark.parametrize(
    ("value", "expected"), [("1", True), ("TRUE", True), ("yes", True), ("on", True), ("0", False), ("Off", False)]
)
def test_a_boolean_has_four_spellings_each(variable: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    variable.setenv(NAME, value)

    assert env.boolean(NAME, not expected) is expected


def test_a_boolean_that_is_neither_is_refused(variable: pytest.MonkeyPatch) -> None:
    variable.setenv(NAME, "maybe")

    with pytest.raises(ImproperlyConfigured, match=f"^{NAME}: must be 1 or 0"):
        env.boolean(NAME, False)


@pytest.mark.parametrize("value", ["0", "65536", "-1"])
def test_an_integer_outside_its_range_is_refused(variable: pytest.MonkeyPatch, value: str) -> None:
    variable.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=f"^{NAME}: must be at least 1 and at most 65535$"):
        env.integer(NAME, 8000, minimum=1, maximum=65535)


def test_an_integer_takes_its_limits_its_default_and_no_text(variable: pytest.MonkeyPatch) -> None:
    assert env.integer(NAME, 8000) == 8000
    variable.setenv(NAME, "65535")
    assert env.integer(NAME, 8000, maximum=65535) == 65535
    variable.setenv(NAME, "80a")
    with pytest.raises(ImproperlyConfigured, match=f"^{NAME}: must be a whole number$"):
        env.integer(NAME, 8000)


def test_a_list_keeps_order_and_drops_empty_parts(variable: pytest.MonkeyPatch) -> None:
    assert env.text_list(NAME, ["default"]) == ["default"]
    variable.setenv(NAME, " b.example, a.example ,,")
    assert env.text_list(NAME) == ["b.example", "a.example"]


def test_a_mail_url_gives_djangos_settings(variable: pytest.MonkeyPatch) -> None:
    assert env.email(NAME)["EMAIL_BACKEND"] == "django.core.mail.backends.dummy.EmailBackend"

    variable.setenv(NAME, "smtp://studio:p%40ss@mail.example")
    starttls = env.email(NAME)
    variable.setenv(NAME, "smtps://mail.example:4465")
    tls = env.email(NAME)
    variable.setenv(NAME, "smtp://127.0.0.1:25?tls=off")
    plain = env.email(NAME)
    variable.setenv(NAME, "file:///var/spool/studio%20mail")
    file = env.email(NAME)

    assert starttls == {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_FILE_PATH": "",
        "EMAIL_HOST": "mail.example",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "studio",
        "EMAIL_HOST_PASSWORD": "p@ss",
        "EMAIL_USE_SSL": False,
        "EMAIL_USE_TLS": True,
    }
    assert (tls["EMAIL_PORT"], tls["EMAIL_USE_SSL"], tls["EMAIL_USE_TLS"]) == (4465, True, False)
    assert (plain["EMAIL_PORT"], plain["EMAIL_USE_SSL"], plain["EMAIL_USE_TLS"]) == (25, False, False)
    assert file["EMAIL_FILE_PATH"] == "/var/spool/studio mail"
    assert set(file) == set(starttls)


@pytest.mark.parametrize(
    "value",
    ["http://mail.example", "smtp://:hunter2@", "smtp://mail.example?tls=maybe", "smtp://a?b=c", "file://host/a"],
)
def test_a_mail_url_that_cannot_be_obeyed_is_refused_without_repeating_it(
    variable: pytest.MonkeyPatch, value: str
) -> None:
    variable.setenv(NAME, value)

    with pytest.raises(ImproperlyConfigured, match=f"^{NAME}: ") as refused:
        env.email(NAME)

    assert "hunter2" not in str(refused.value)


def test_a_web_address_has_no_path_and_loses_its_closing_slash(variable: pytest.MonkeyPatch) -> None:
    assert env.web_address(NAME) == ""
    variable.setenv(NAME, "https://studio.example.com:8443/")
    assert env.web_address(NAME) == "https://studio.example.com:8443"

    for value in ("studio.example.com", "ftp://a.example", "https://a.example/path", "https://u@a.example", "https://"):
        variable.setenv(NAME, value)
        with pytest.raises(ImproperlyConfigured, match=f"^{NAME}: "):
            env.web_address(NAME)


def test_a_database_url_gives_all_parts_decoded(variable: pytest.MonkeyPatch) -> None:
    variable.setenv(NAME, "postgresql://studio:p%40ss%2Fword@db.example:6432/stu%20dio?sslmode=verify-full")

    assert env.postgresql(NAME) == {
        "ENGINE": "studio.postgresql",
        "NAME": "stu dio",
        "USER": "studio",
        "PASSWORD": "p@ss/word",
        "HOST": "db.example",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "verify-full"},
    }


@pytest.mark.parametrize(
    "url", ["postgresql://postgres@/postgres?host=/tmp/a%20b", "postgres://postgres:@/postgres?host=/tmp/a b"]
)
def test_a_database_url_may_name_a_socket_directory(variable: pytest.MonkeyPatch, url: str) -> None:
    variable.setenv(NAME, url)

    database = env.postgresql(NAME)

    assert database is not None
    assert (database["HOST"], database["PORT"], database["PASSWORD"]) == ("/tmp/a b", "", "")
    assert database["OPTIONS"] == {}


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("mysql://u:hunter2@h/d", "must be a URL that begins with postgresql://"),
        ("hunter2", "must be a URL that begins with postgresql://"),
        ("postgresql://u:hunter2@h:99999/d", "is not a URL with a port between 1 and 65535"),
        ("postgresql://u:hunter2@h:0/d", "must be a URL that begins with postgresql://"),
        ("postgresql://u:hunter2@h", "must name one database, as in postgresql://user@host/database"),
        ("postgresql://u:hunter2@h/a/b", "must name one database, as in postgresql://user@host/database"),
        ("postgresql://u:hunter2@h/d?ssl_mode=require", "the option 'ssl_mode' is unknown"),
        ("postgresql://u:hunter2@[h/d", "is not a URL with a port between 1 and 65535"),
    ],
)
def test_a_malformed_database_url_is_refused_without_its_password(
    variable: pytest.MonkeyPatch, url: str, rule: str
) -> None:
    variable.setenv(NAME, url)

    with pytest.raises(ImproperlyConfigured) as refused:
        env.postgresql(NAME)

    assert str(refused.value) == f"{NAME}: {rule}"
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_no_database_url_means_no_database(variable: pytest.MonkeyPatch) -> None:
    assert env.postgresql(NAME) is None
    assert env.redis(NAME) == ""


@pytest.mark.parametrize("url", ["redis://:secret@h:6379/0", "rediss://user:secret@h/12", "redis://h"])
def test_a_redis_url_is_kept_as_it_is(variable: pytest.MonkeyPatch, url: str) -> None:
    variable.setenv(NAME, url)

    assert env.redis(NAME) == url


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://:hunter2@h", "must be a URL that begins with redis://"),
        ("redis://:hunter2@/0", "must name a host, as in redis://host:6379/0"),
        ("redis://:hunter2@h/cache", "must end with a database number, as in redis://host:6379/0"),
        ("redis://:hunter2@h:port/0", "is not a URL with a port between 1 and 65535"),
    ],
)
def test_a_malformed_redis_url_is_refused_without_its_password(
    variable: pytest.MonkeyPatch, url: str, rule: str
) -> None:
    variable.setenv(NAME, url)

    with pytest.raises(ImproperlyConfigured) as refused:
        env.redis(NAME)

    assert str(refused.value) == f"{NAME}: {rule}"
