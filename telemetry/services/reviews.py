"""What a person looks at before a draft is published."""

from typing import NamedTuple

import msgspec

from telemetry.core.errors import FieldError
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.core.validation import check_spec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.models import SpecRecord, SpecVersion
from telemetry.services.privacy_changes import find_loosened

__all__ = ["DraftReview", "review_draft"]


class DraftReview(NamedTuple):
    """A draft beside the newest frozen version, ``before``, which is ``None`` for the first publication.

    Events are those of the draft, but ``removed``, which only the version before has. ``loosened`` names what protects
    less than before, ``errors`` what keeps the draft from being published.
    """

    draft: TelemetrySpec
    before: SpecVersion | None
    errors: tuple[FieldError, ...]
    loosened: tuple[FieldError, ...]
    added: tuple[EventDefinition, ...]
    changed: tuple[EventDefinition, ...]
    removed: tuple[EventDefinition, ...]
    meta_changed: bool
    defaults_changed: bool

    @property
    def has_changes(self) -> bool:
        """Whether publishing would make a version that says something new."""
        parts = (self.added, self.changed, self.removed)
        return self.before is None or any(parts) or self.meta_changed or self.defaults_changed


def review_draft(record: SpecRecord) -> DraftReview:
    """The review of the spec's draft as it is now; four queries."""
    draft = spec_from_records(record)
    before = SpecVersion.objects.filter(spec=record).order_by("-version").first()
    old = None if before is None else spec_of_version(before)
    known = {} if old is None else {(event.name, event.version): event for event in old.events}
    kept = {(event.name, event.version) for event in draft.events}
    return DraftReview(
        draft=draft,
        before=before,
        errors=check_spec(draft),
        loosened=() if old is None else find_loosened(old, draft),
        added=tuple(event for event in draft.events if (event.name, event.version) not in known),
        changed=tuple(event for event in draft.events if known.get((event.name, event.version), event) != event),
        removed=tuple(event for identity, event in known.items() if identity not in kept),
        meta_changed=old is not None and msgspec.structs.replace(draft.meta, version=old.meta.version) != old.meta,
        defaults_changed=old is not None and draft.config != old.config,
    )
