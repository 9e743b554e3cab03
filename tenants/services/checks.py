"""What people type, checked before it reaches a row: every broken rule at once, with its path."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from psycopg.errors import UniqueViolation

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from tenants.models.tenant import SLUG_LENGTH, SLUG_PATTERN

__all__ = ["conflict_if_taken", "line_error", "refuse_errors", "slug_error", "text_error"]

# Control characters, which break headers and terminals; NUL cannot be stored at all. Half characters (surrogates) too.
FORBIDDEN_IN_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
FORBIDDEN_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def refuse_errors(what: str, *errors: FieldError | None) -> None:
    """Return if there is no error among ``errors``; raises ``InvalidDocument`` with all of them."""
    found = [error for error in errors if error is not None]
    if found:
        raise InvalidDocument(found, what=what)


def slug_error(path: str, value: str) -> FieldError | None:
    """The rule that a slug breaks: 1 to 128 lower-case letters, digits and ``_ . : -``, a letter or digit first."""
    if len(value) > SLUG_LENGTH or not re.fullmatch(SLUG_PATTERN, value) or value.endswith("\n"):
        message = f"expected 1 to {SLUG_LENGTH} of a-z, 0-9, '_', '.', ':' and '-', a letter or digit first"
        return FieldError("bad_form", path, message)
    return None


def line_error(path: str, value: str, *, maximum: int = 200) -> FieldError | None:
    """The rule that a line of text breaks: 1 to ``maximum`` characters, not only spaces, no line break or control."""
    if not value.strip():
        return FieldError("empty", path, "expected some text")
    if len(value) > maximum:
        return FieldError("too_long", path, f"expected at most {maximum} characters")
    if FORBIDDEN_IN_LINE.search(value):
        return FieldError("bad_character", path, "expected one line without control characters")
    return None


def text_error(path: str, value: str, *, maximum: int = 4000, required: bool = False) -> FieldError | None:
    """The rule that a longer text breaks: at most ``maximum`` characters, no controls but line breaks and tabs."""
    if required and not value.strip():
        return FieldError("empty", path, "expected some text")
    if len(value) > maximum:
        return FieldError("too_long", path, f"expected at most {maximum} characters")
    if FORBIDDEN_IN_TEXT.search(value):
        return FieldError("bad_character", path, "expected text without control characters")
    return None


@contextmanager
def conflict_if_taken(message: str) -> Iterator[None]:
    """The block's rows are stored, or nothing of it is and ``Conflict`` says that a unique value was taken."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if not isinstance(error.__cause__, UniqueViolation):
            raise
        # The database's own words repeat the values.
        raise Conflict(message) from None
