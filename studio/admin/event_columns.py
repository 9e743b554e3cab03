"""Columns of events, the same in the catalogue and on a spec's page."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from studio import markup
from studio.addresses import address_of
from telemetry.models import EventRecord

__all__ = ["EventColumns"]


class EventColumns:
    """Mixin with the columns; rows come with ``property_count``."""

    @display(description="Event", ordering="name")
    def title(self, event: EventRecord) -> SafeString:
        """Name and version."""
        return markup.named(event.name, f"@{event.version}")

    @display(description="Event", ordering="name")
    def title_link(self, event: EventRecord) -> SafeString:
        """Name and version, with the way to its form."""
        return markup.link(address_of(event), f"{event.name}@{event.version}")

    @display(description="What", ordering="semantics_what")
    def what(self, event: EventRecord) -> str:
        """What happened."""
        return event.semantics_what

    @display(description="Privacy", ordering="privacy")
    def level(self, event: EventRecord) -> SafeString:
        """Its level."""
        return markup.privacy_chip(event.privacy)

    @display(description="Properties", ordering="property_count")
    def properties_number(self, event: Any) -> SafeString:
        """How many it declares."""
        return markup.number(event.property_count)

    @display(description="Retention", ordering="retention_days")
    def retention(self, event: EventRecord) -> str:
        """How long, and what then."""
        if event.retention_days is None:
            return "spec default"
        return f"{event.retention_days} days, then {event.retention_policy}"

    @display(description="Sampling", ordering="sampling_rate")
    def sampling(self, event: EventRecord) -> SafeString | str:
        """The share kept, and whether conditions narrow it."""
        if event.sampling_rate is None:
            return "spec default"
        share = markup.percent(event.sampling_rate)
        if not event.sampling_conditions:
            return share
        count = len(event.sampling_conditions)
        return format_html("{} {}", share, markup.chip(f"{count} condition{'' if count == 1 else 's'}"))
