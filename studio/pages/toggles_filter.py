"""Which events the toggles page shows, and one change for all of them."""

from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.http import urlencode
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from studio.pages.forms import PageForm
from studio.pages.toggles_form import share_of
from telemetry.core.codec import convert_document
from telemetry.core.enums import PrivacyLevel, RetentionPolicy
from telemetry.core.override_editing import BulkEdit
from telemetry.services.toggles import EventFilter

__all__ = ["BulkForm", "FilterForm"]

STATES: Final = [
    ("", "any state"),
    ("own", "changed here"),
    ("held", "held by a floor"),
    ("off", "off"),
    ("refused", "with a refused wish"),
]
RESETTABLE: Final = [
    ("enabled", "collected"),
    ("samplingRate", "share"),
    ("retentionDays", "days"),
    ("retentionPolicy", "after that"),
    ("privacy", "level"),
    ("redaction", "hidden"),
    ("anomalies", "watched"),
]
SWITCH: Final = [("", "leave"), ("on", "on"), ("off", "off")]


class FilterForm(forms.Form):
    """Words, level, tag and state; what is not understood counts as not said."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "search", "placeholder": "Name, meaning or tag"}),
    )
    level = forms.ChoiceField(
        label="Level",
        required=False,
        choices=[("", "any level"), *((level.value, level.value) for level in PrivacyLevel)],
        widget=UnfoldAdminSelectWidget(),
    )
    tag = forms.ChoiceField(label="Tag", required=False, widget=UnfoldAdminSelectWidget())
    state = forms.ChoiceField(label="State", required=False, choices=STATES, widget=UnfoldAdminSelectWidget())

    def __init__(self, data: QueryDict, *, tags: list[str]) -> None:
        super().__init__(data)
        self.fields["tag"].choices = [("", "any tag"), *((tag, tag) for tag in tags)]  # type: ignore[attr-defined]
        self.is_valid()

    @property
    def chosen(self) -> EventFilter:
        """What was understood."""
        data = self.cleaned_data
        return EventFilter(
            search=data.get("q", ""),
            privacy=PrivacyLevel(data["level"]) if data.get("level") else None,
            tag=data.get("tag", ""),
            state=data.get("state") or None,
        )

    @property
    def query(self) -> str:
        """The same as part of an address."""
        return urlencode({name: value for name, value in self.cleaned_data.items() if value})


class BulkForm(PageForm):
    """One change for every event that the filter shows; what is left empty stays as it is."""

    places = {
        "enabled": "collect",
        "samplingRate": "rate",
        "retentionDays": "days",
        "retentionPolicy": "policy",
        "privacy": "at_least",
        "anomaliesEnabled": "watch",
    }

    collect = forms.ChoiceField(label="Collect", required=False, choices=SWITCH, widget=UnfoldAdminSelectWidget())
    rate = forms.DecimalField(
        label="Share kept (%)",
        required=False,
        min_value=0,
        max_value=100,
        widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any", "placeholder": "leave"}),
    )
    days = forms.IntegerField(
        label="Keep at most (days)",
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": "leave"}),
    )
    policy = forms.ChoiceField(
        label="After that",
        required=False,
        choices=[("", "leave"), *((each.value, each.value) for each in RetentionPolicy)],
        widget=UnfoldAdminSelectWidget(),
    )
    at_least = forms.ChoiceField(
        label="Level at least",
        required=False,
        choices=[("", "leave"), *((each.value, each.value) for each in tuple(PrivacyLevel)[1:])],
        widget=UnfoldAdminSelectWidget(),
    )
    watch = forms.ChoiceField(label="Watch", required=False, choices=SWITCH, widget=UnfoldAdminSelectWidget())
    reset = forms.MultipleChoiceField(
        label="Inherit again",
        required=False,
        choices=RESETTABLE,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    expected_checksum = forms.CharField(required=False, widget=forms.HiddenInput())

    def __init__(self, data: Any = None, *, checksum: str) -> None:
        super().__init__(data, prefix="bulk", initial={"expected_checksum": checksum})

    def edit(self) -> BulkEdit:
        """What the form asks for; raises ``InvalidDocument``."""
        data = self.cleaned_data
        switches = {"on": True, "off": False}
        document = {
            "enabled": switches.get(data["collect"]),
            "samplingRate": share_of(data["rate"]),
            "retentionDays": data["days"],
            "retentionPolicy": data["policy"] or None,
            "privacy": data["at_least"] or None,
            "anomaliesEnabled": switches.get(data["watch"]),
            "reset": data["reset"] or None,
        }
        return convert_document(
            {key: value for key, value in document.items() if value is not None}, BulkEdit, what="change"
        )
