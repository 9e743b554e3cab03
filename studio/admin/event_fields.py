"""Form fields of the event editor alone: a share in percent, and a list with a row per text."""

from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from studio.admin.fields import LinesField

__all__ = ["RateField", "RowsField", "rate_text"]


def rate_text(rate: float) -> str:
    """The ratio in percent as people type it, without the noise of binary fractions: ``0.25`` is ``25 %``."""
    return format((Decimal(repr(rate)) * 100).normalize(), "f") + " %"


class RateField(forms.CharField):
    """A share, typed as a ratio or in percent; the value is a ratio, which may lie outside 0-1, or ``None``."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"})
        super().__init__(widget=widget, required=False, **kwargs)

    def to_python(self, value: Any) -> Any:
        """The ratio; a comma is taken for the decimal sign."""
        if value is None or isinstance(value, float):
            return value
        text = str(value).replace(",", ".").strip()
        if not text:
            return None
        number = text.removesuffix("%").strip()
        try:
            ratio = Decimal(number) / (100 if text.endswith("%") else 1)
        except InvalidOperation:
            ratio = Decimal("NaN")
        if not ratio.is_finite():
            raise forms.ValidationError("Enter a share such as 25 % or 0.25.")
        return float(ratio)

    def prepare_value(self, value: Any) -> Any:
        """The ratio in percent; what was typed stays as it is."""
        return rate_text(value) if isinstance(value, float) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether the ratios differ."""
        try:
            return bool(self.to_python(data) != initial)
        except forms.ValidationError:
            return True


class RowsWidget(forms.TextInput):
    """Inputs that share one name; the page draws a row for each text."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """The texts under each other; ``None`` when nothing was sent."""
        if hasattr(data, "getlist"):
            return "\n".join(data.getlist(name)) if name in data else None
        return data.get(name)


class RowsField(LinesField):
    """A list of texts with a row for each."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.widget = RowsWidget()
