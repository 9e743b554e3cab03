"""Columns of frozen versions, the same in their list and on a spec's page."""

from django.utils.safestring import SafeString
from unfold.decorators import display

from studio import markup
from studio.addresses import address_of
from telemetry.models import SpecVersion

__all__ = ["VersionColumns"]


class VersionColumns:
    """Mixin with the columns; rows come with ``spec`` and ``based_on``."""

    @display(description="Version", ordering="spec__name")
    def title(self, version: SpecVersion) -> SafeString:
        """Spec and version."""
        return markup.named(version.spec.name, f"@{version.version}")

    @display(description="Version", ordering="version")
    def title_link(self, version: SpecVersion) -> SafeString:
        """The version, with the way to its page."""
        return markup.link(address_of(version), f"Version {version.version}")

    @display(description="State", ordering="status")
    def state(self, version: SpecVersion) -> SafeString:
        """Where it is in its life."""
        return markup.status_chip(version.status)

    @display(description="What changed", ordering="change_summary")
    def summary(self, version: SpecVersion) -> str:
        """In the words of who published it."""
        return version.change_summary or markup.ABSENT

    @display(description="Published", ordering="published_at")
    def published(self, version: SpecVersion) -> SafeString:
        """When, and by whom."""
        return markup.when_by(version.published_at, version.published_by_label)

    @display(description="Follows")
    def lineage(self, version: SpecVersion) -> SafeString | str:
        """The version that was published before."""
        if version.based_on is None:
            return "the first"
        return markup.link(address_of(version.based_on), f"Version {version.based_on.version}")
