"""A draft beside the frozen versions of its spec, for whoever needs several of them for one answer."""

from functools import cached_property

from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.models import SpecRecord, SpecVersion, VersionStatus

__all__ = ["DraftState"]


class DraftState:
    """The draft of ``record`` and the versions beside it; each is read once, when it is first asked for.

    For one answer: what changes after it was read is not seen.
    """

    def __init__(self, record: SpecRecord) -> None:
        self.record = record

    @cached_property
    def draft(self) -> TelemetrySpec:
        """What the draft says; one query."""
        return spec_from_records(self.record)

    @cached_property
    def newest(self) -> SpecVersion | None:
        """The newest frozen version, archived or not, or ``None``; one query."""
        return SpecVersion.objects.filter(spec=self.record).order_by("-version").first()

    @cached_property
    def newest_spec(self) -> TelemetrySpec | None:
        """What the newest frozen version says."""
        return None if self.newest is None else spec_of_version(self.newest)

    @cached_property
    def published_spec(self) -> TelemetrySpec | None:
        """What the published version says, which is the newest unless that was archived: then one query more."""
        if self.newest is None or self.newest.status == VersionStatus.PUBLISHED:
            return self.newest_spec
        published = SpecVersion.objects.filter(spec=self.record, status=VersionStatus.PUBLISHED).order_by().first()
        return None if published is None else spec_of_version(published)
