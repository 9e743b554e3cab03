"""``studio generate`` and ``studio status``: code, and whether it is of the spec."""

from pathlib import Path

import pytest

from telemetry.core.codec import decode_spec
from telemetry.formats.clients import LANGUAGES
from telemetry.formats.clients import generate as generate_code
from tests.cli.conftest import SIGIL, Studio


@pytest.mark.parametrize("language", LANGUAGES)
def test_code_goes_to_standard_output_or_into_a_folder(studio: Studio, tmp_path: Path, language: str) -> None:
    expected = generate_code(decode_spec(SIGIL.read_bytes()), language)

    printed = studio("generate", language, SIGIL)
    called = studio("generate", language, SIGIL, "--output", "code/")

    [file] = (tmp_path / "code").iterdir()
    assert (printed.code, printed.out) == (0, expected)
    assert (called.code, called.out) == (0, "")
    assert file.read_text() == expected


def test_an_unknown_language_is_a_wrong_call(studio: Studio) -> None:
    called = studio("generate", "cobol", SIGIL)

    assert called.code == 2
    assert "must be one of python, typescript" in " ".join(called.err.replace("│", " ").split())


@pytest.fixture
def code(studio: Studio, tmp_path: Path) -> Path:
    file = tmp_path / "client.py"
    assert studio("generate", "python", SIGIL, "--output", file).code == 0
    return file


def test_code_of_the_spec_is_up_to_date(studio: Studio, code: Path) -> None:
    called = studio("status", code, SIGIL, "--spec", SIGIL)

    assert called.code == 0
    assert called.out == (
        f"{code}: sigil.telemetry is up to date with {SIGIL}\n{SIGIL}: sigil.telemetry is up to date with {SIGIL}\n"
    )


def test_code_of_an_older_spec_differs(studio: Studio, code: Path, tmp_path: Path) -> None:
    (tmp_path / "new.yaml").write_text(SIGIL.read_text().replace("required: true", "required: false", 1))

    called = studio("status", code, "--spec", "new.yaml")

    assert (called.code, called.out) == (1, f"{code}: sigil.telemetry differs from new.yaml\n")


def test_code_that_was_changed_by_hand_is_named(studio: Studio, code: Path) -> None:
    code.write_text(code.read_text() + "# mine\n")

    called = studio("status", code, "--spec", SIGIL)

    assert (called.code, called.out) == (
        0,
        f"{code}: sigil.telemetry is up to date with {SIGIL}; it was changed by hand\n",
    )


def test_code_of_another_spec_is_refused(studio: Studio, code: Path, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(SIGIL.read_text().replace("name: sigil.telemetry\n", "name: shop\n", 1))

    called = studio("status", code, "--spec", "other.yaml")

    assert called.code == 2
    assert "is made from sigil.telemetry, which --spec does not have" in called.err


def test_a_file_that_is_neither_code_nor_spec_is_refused(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")

    assert studio("status", "a.py", "--spec", SIGIL).code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name the studio with --studio or STUDIO_URL"),
        (("--studio", "http://127.0.0.1:9"), "put a personal key into STUDIO_API_KEY"),
        (("--studio", "http://studio.example.com", "--key", "k"), "must use https"),
        (("--studio", "http://127.0.0.1:9", "--key", "tgs_secret"), "no usable answer: ConnectionRefusedError"),
    ],
)
def test_what_a_studio_needs_is_said_and_no_key_is_shown(
    studio: Studio, code: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.delenv("STUDIO_URL", raising=False)
    monkeypatch.delenv("STUDIO_API_KEY", raising=False)

    called = studio("status", code, *arguments)

    assert (called.code, called.out) == (2, "")
    assert message in called.err
    assert "tgs_secret" not in called.err
