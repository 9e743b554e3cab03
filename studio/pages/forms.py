"""Forms of pages that are not one record's form."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, cast

from django import forms
from django.http import HttpRequest, QueryDict
from unfold.widgets import DATETIME_CLASSES, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from telemetry.core.errors import FieldError, TelemetryError

__all__ = [
    "STALE",
    "PageForm",
    "errors_of",
    "instant_field",
    "place_of",
    "posted",
    "sentence",
    "statement",
    "summary_field",
]


# Said when a form was filled from a state that has passed.
STALE = (
    "Somebody else saved this since you opened it, and nothing of yours was saved. Your entries are still here: "
    "compare them with what is stored now in another tab, then save again to put yours in its place."
)


def errors_of(error: TelemetryError) -> tuple[FieldError, ...]:
    """Every broken rule, or the message itself as the only one."""
    return error.errors or (FieldError(error.code, "", error.message),)


def place_of(path: str, places: dict[str, str]) -> str | None:
    """The name of the field for a place in a document: that of the first pattern that the path begins with."""
    return next((name for place, name in places.items() if re.match(place, path)), None)


def sentence(message: str) -> str:
    """The message with a capital letter."""
    return message[:1].upper() + message[1:]


def statement(error: FieldError) -> str:
    """The error where no field shows what it is about: with its path, if it has one."""
    return str(error) if error.path else sentence(error.message)


class PageForm(forms.Form):
    """A form whose values a service checks; ``places`` maps patterns of paths in documents to names of fields."""

    places: ClassVar[dict[str, str]] = {}

    def refuse(self, error: TelemetryError) -> None:
        """What the service refused stands beside its field, or above all fields."""
        for each in errors_of(error):
            name = place_of(each.path, self.places)
            if name in self.fields:
                self.add_error(name, sentence(each.message))
            else:
                self.add_error(None, statement(each))

    def take_new_state(self, state: Mapping[str, Any], message: str = STALE) -> None:
        """What was typed stays, the hidden fields take the ``state`` of this moment, and the ``message`` says why."""
        data = cast("QueryDict", self.data).copy()
        for name, value in state.items():
            data[name] = "" if value is None else str(value)
        self.data = data
        self.add_error(None, message)


def summary_field(label: str = "What changed, and why?", *, lines: int = 3) -> forms.CharField:
    """The change summary that every publication asks for."""
    return forms.CharField(
        label=label,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": lines}) if lines > 1 else UnfoldAdminTextInputWidget(),
        help_text="One or two sentences for whoever reads the history later." if lines > 1 else "",
    )


def instant_field(label: str, *, required: bool = False, help_text: str = "") -> forms.DateTimeField:
    """An instant in UTC, typed or picked; the value is aware."""
    widget = forms.DateTimeInput(
        format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": " ".join(DATETIME_CLASSES)}
    )
    return forms.DateTimeField(
        label=label,
        required=required,
        help_text=help_text,
        widget=widget,
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"],
    )


def posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, or ``None`` for a page that is only looked at; a form may be sent empty."""
    return request.POST if request.method == "POST" else None
