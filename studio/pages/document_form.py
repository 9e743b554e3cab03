"""Forms that take a whole document: as a file, or as its text."""

from typing import Any, cast

from django import forms
from django.conf import settings
from django.http import QueryDict
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from studio.pages.forms import PageForm

__all__ = ["DocumentForm"]


class DocumentForm(PageForm):
    """A document as a file or as text."""

    file = forms.FileField(label="A file", required=False, widget=UnfoldAdminFileFieldWidget())
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 16, "class": "code-input", "spellcheck": "false"}),
        help_text="YAML or JSON in the form that the downloads have, or a plan of another format.",
    )

    def clean_file(self) -> Any:
        """The file, within the size that a request may have."""
        file = self.cleaned_data["file"]
        if file is not None and (file.size or 0) > settings.STUDIO_REQUEST_MAX_BYTES:
            raise forms.ValidationError(f"The file is larger than {settings.STUDIO_REQUEST_MAX_BYTES} bytes.")
        return file

    def clean(self) -> dict[str, Any]:
        """Exactly one of file and text."""
        data = super().clean() or {}
        if bool(data.get("file")) == bool(data.get("text", "").strip()) and not self.errors:
            raise forms.ValidationError("Choose a file or paste its text, one of the two.")
        return data

    def document(self) -> bytes | str:
        """What was sent, not read yet."""
        file = self.cleaned_data["file"]
        if not file:
            return str(self.cleaned_data["text"])
        file.seek(0)
        return cast("bytes", file.read())

    def keep_text(self) -> None:
        """The document that was sent as a file stands in the text field, as a browser sends no file again."""
        document = self.document()
        if isinstance(document, bytes):
            self._put(text=document.decode("utf-8-sig"))

    def replace_text(self, text: str, **others: str) -> None:
        """The document is this text from here on, whatever was sent; ``others`` are the values of other fields."""
        self.cleaned_data |= {"file": None, "text": text, **others}
        self._put(text=text, **others)

    def _put(self, **values: str) -> None:
        data = cast("QueryDict", self.data).copy()
        for name, value in values.items():
            data[name] = value
        self.data = data
