"""How a refusal of a service comes back to the form: beside the field, or above all fields."""

import re
from collections.abc import Mapping
from typing import ClassVar, cast

from django import forms
from django.http import HttpRequest, QueryDict

from studio.admin.fields import DocumentField
from studio.pages.forms import STALE, errors_of, place_of, sentence, statement
from telemetry.core.errors import FieldError, StaleRevision, TelemetryError

__all__ = ["Refusal", "ServiceForm", "refusal_of", "show_refusal"]

_ATTRIBUTE = "studio_refusal"


class Refusal:
    """What a service refused, until each broken rule has found its place."""

    def __init__(self, error: TelemetryError) -> None:
        self.is_stale = isinstance(error, StaleRevision)
        self.remaining: list[FieldError] = list(errors_of(error))

    def move(self, prefix: str, form: forms.BaseForm, fields: Mapping[str, str]) -> None:
        """Errors whose path begins with the pattern ``prefix`` stand in ``form``, in the field that the rest names."""
        for error in list(self.remaining):
            found = re.match(prefix, error.path)
            if found:
                name = place_of(error.path[found.end() :], dict(fields))
                form.add_error(name, sentence(error.message))
                self.remaining.remove(error)


def show_refusal(request: HttpRequest, error: TelemetryError) -> None:
    """The form that is built next for this request shows the error, and saves nothing."""
    setattr(request, _ATTRIBUTE, Refusal(error))


def refusal_of(request: HttpRequest) -> Refusal | None:
    """The refusal to show, if there is one."""
    return getattr(request, _ATTRIBUTE, None)


class ServiceForm(forms.ModelForm):  # type: ignore[type-arg]  # generic for type checkers only
    """A form whose values a service checks and saves.

    ``places`` maps places in documents (regular expressions that match the start of a path) to names of fields. The
    first that matches counts; what none matches is shown above all fields, with its path.
    """

    places: ClassVar[dict[str, str]] = {}
    refusal: ClassVar[Refusal | None] = None

    def _post_clean(self) -> None:
        """Add the refusal. The model's own validation stays out: the core's rules are stricter, and name paths."""
        if self.refusal is None:
            return
        if self.refusal.is_stale:
            self._take_new_revision()
            return
        for error in self.refusal.remaining:
            self._add_refused(error)

    def _take_new_revision(self) -> None:
        """What was typed stays; saved once more, it wins over what somebody else saved meanwhile."""
        data = cast("QueryDict", self.data).copy()
        data[self.add_prefix("expected_revision")] = str(self.initial["expected_revision"])
        self.data = data
        self.add_error(None, STALE)

    def _add_refused(self, error: FieldError) -> None:
        """The broken rule stands beside its field."""
        field = place_of(error.path, self.places)
        if field is None or field not in self.fields:
            self.add_error(None, statement(error))
        elif isinstance(self.fields[field], DocumentField):
            self.add_error(field, str(error))
        else:
            # A field of many lines does not show positions otherwise.
            line = re.search(r"\[(\d+)\]\Z", error.path)
            self.add_error(field, f"Line {int(line[1]) + 1}: {error.message}" if line else sentence(error.message))
