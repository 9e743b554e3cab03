"""Form fields that several nouns share; they turn text into plain data of documents, and check no rule of these."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from telemetry.core.codec import parse_document
from telemetry.core.errors import InvalidDocument
from telemetry.core.yaml_documents import write_yaml

__all__ = [
    "DocumentField",
    "LinesField",
    "NumberField",
    "RevisionField",
    "SwitchField",
    "TextField",
    "WholeNumberField",
    "WordField",
    "overlay",
    "without_blanks",
]


class TextField(forms.CharField):
    """One line of text, or several with ``lines``; how long it may be is for the core to say."""

    def __init__(self, *, lines: int = 1, required: bool = False, **kwargs: Any) -> None:
        widget = (
            UnfoldAdminTextInputWidget() if lines == 1 else UnfoldAdminExpandableTextareaWidget(attrs={"rows": lines})
        )
        super().__init__(widget=widget, required=required, **kwargs)


class WholeNumberField(forms.IntegerField):
    """A whole number, or nothing."""

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminIntegerFieldWidget(), required=required, **kwargs)


class NumberField(forms.FloatField):
    """A number, or nothing."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}), required=False, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Whole numbers without a point."""
        return int(value) if isinstance(value, float) and value.is_integer() else value


class WordField(forms.ChoiceField):
    """One word of a closed set, or nothing, which ``inherited`` describes."""

    def __init__(self, words: Any, *, inherited: str = "", required: bool = False, **kwargs: Any) -> None:
        choices = [(str(word), str(word).replace("_", " ")) for word in words]
        if not required:
            choices = [("", inherited or "not set"), *choices]
        super().__init__(choices=choices, widget=UnfoldAdminSelectWidget(), required=required, **kwargs)


class SwitchField(forms.TypedChoiceField):
    """On, off, or nothing, which ``inherited`` describes; the value is a bool or ``None``."""

    def __init__(self, *, on: str = "on", off: str = "off", inherited: str = "inherit", **kwargs: Any) -> None:
        super().__init__(
            choices=[("", inherited), ("true", on), ("false", off)],
            coerce=lambda value: value == "true",
            empty_value=None,
            required=False,
            widget=UnfoldAdminSelectWidget(),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        """The choice for a bool."""
        return {True: "true", False: "false", None: ""}.get(value, value)


class LinesField(forms.CharField):
    """A list of texts, one per line; empty lines are left out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=UnfoldAdminExpandableTextareaWidget(attrs={"rows": 2}), required=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        """The lines, without surrounding space."""
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def prepare_value(self, value: Any) -> Any:
        """The texts under each other."""
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the lists differ."""
        return list(initial or []) != self.to_python(data)


class DocumentField(forms.CharField):
    """A part of a document as YAML or JSON text; the value is plain data, ``empty`` for no text."""

    def __init__(self, *, empty: Any, rows: int = 6, **kwargs: Any) -> None:
        self.empty = empty
        widget = UnfoldAdminTextareaWidget(attrs={"rows": rows, "class": "code-input", "spellcheck": "false"})
        super().__init__(widget=widget, required=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        """What the text says; text that cannot be read is an error with its line."""
        text = super().to_python(value) or ""
        if not text.strip():
            return self.empty
        try:
            return parse_document(text, what="text")
        except InvalidDocument as error:
            raise forms.ValidationError([str(each) for each in error.errors]) from None

    def prepare_value(self, value: Any) -> Any:
        """Plain data as YAML; text that was typed stays as it is."""
        if isinstance(value, str) or value is None:
            return value
        return write_yaml(value) if value else ""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the texts differ."""
        return (self.prepare_value(initial) or "") != (data or "")


class RevisionField(forms.IntegerField):
    """The revision that the form was filled from, for compare-and-set."""

    def __init__(self) -> None:
        super().__init__(widget=forms.HiddenInput())


def overlay(stored: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """A part of a document as a form leaves it: what the form shows, and what it does not show as it was stored."""
    return without_blanks({**stored, **shown})


def without_blanks(values: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that hold something: documents leave out what is not set. False and 0 are something."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {}, ())}
