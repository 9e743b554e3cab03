"""A draft of a spec from what an installation received lately."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from telemetry.core.config import EffectiveConfig
from telemetry.core.enums import ViolationCode
from telemetry.core.errors import Conflict
from telemetry.core.paths import key_of
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.traffic import Doubt, Outline, StoredSample, TrafficDrafting, Uncertainty
from telemetry.models import ViolationRecord
from telemetry.selectors.privacy_findings import findings_of_properties
from telemetry.selectors.violations import violations_since
from telemetry.services.configs import layers_at, resolve_layers, spec_behind
from telemetry.services.ingest.judging import reads_personal
from telemetry.stores.base import EventWindow
from telemetry.stores.chosen import EVENT_STORE
from tenants.models import Installation

__all__ = ["MOST_DAYS", "MOST_SAMPLE", "TrafficDraft", "infer_from_traffic"]

# Longer ago, apps were others.
MOST_DAYS: Final = 90
# Events of one kind that are read, the newest: more of them teach little about types.
MOST_SAMPLE: Final = 1_000
# Kinds of events, and kinds of mistakes, that are read at once.
MOST_KINDS: Final = 100
MOST_VIOLATIONS: Final = 2_000
# Another machine's clock may be a little ahead.
_AHEAD: Final = timedelta(seconds=5)

_UNDECLARED: Final = ViolationCode.UNDECLARED_PROPERTY
_UNKNOWN: Final = ViolationCode.UNKNOWN_EVENT


class TrafficDraft(NamedTuple):
    """The draft, what it was made of, and where it is not certain.

    ``suspects`` are properties that are marked as personal by their names or values; none of these values is in it.
    """

    spec: TelemetrySpec
    start: datetime
    end: datetime
    events_read: int
    suspects: tuple[str, ...]
    uncertainties: tuple[Uncertainty, ...]


def infer_from_traffic(
    installation: Installation, *, name: str, now: datetime, days: int = 7, sample: int = 200, event: str = ""
) -> TrafficDraft:
    """A draft named ``name`` from what came in the last ``days``: up to ``sample`` events of each kind, the newest.

    With ``event``, of this one alone. Raises ``InvalidDocument`` if nothing came, or the name is none of a spec. Four
    queries, and one for each kind of event.
    """
    start, end = now - timedelta(days=days), now + _AHEAD
    spec, config = _in_force(installation)
    drafting, read = TrafficDrafting(spec, reads_personal), 0
    counts = EVENT_STORE.counts(installation.pk, start, end)
    kinds = sorted(kind for kind in counts if event in ("", kind[0]))
    for kind in kinds[:MOST_KINDS]:
        window = EventWindow(start, end, name=kind[0], version=kind[1], limit=sample)
        rows = EVENT_STORE.read(installation.pk, window)
        read += len(rows)
        if rows:
            payloads = [row.properties for row in rows]
            is_sampled = any(row.inclusion_probability < 1 for row in rows)
            drafting.add_stored(StoredSample(*kind, payloads, _hidden(config, kind), counts[kind], is_sampled))
    if len(kinds) > MOST_KINDS:
        drafting.doubt(Doubt.TOO_MANY, f"{len(kinds) - MOST_KINDS} more kinds of events came; ask for each by its name")
    _add_violations(drafting, installation, start, event)
    for finding in findings_of_properties(installation):
        drafting.mark_personal(*finding)
    draft, uncertainties = drafting.finish(name)
    return TrafficDraft(draft, start, now, read, tuple(drafting.suspects), uncertainties)


def _in_force(installation: Installation) -> tuple[TelemetrySpec | None, EffectiveConfig | None]:
    try:
        layers = layers_at(installation, None)
        return spec_behind(layers), resolve_layers(layers)
    except Conflict:
        return None, None


def _hidden(config: EffectiveConfig | None, kind: tuple[str, int]) -> frozenset[str]:
    """The properties whose values are hidden at the installation."""
    events = () if config is None else config.events
    return frozenset(
        name
        for event in events
        if (event.name, event.version) == kind
        for name, rule in event.properties.items()
        if rule.redaction is not None
    )


def _add_violations(drafting: TrafficDrafting, installation: Installation, start: datetime, event: str) -> None:
    """What was refused or left out, and so was never stored."""
    rows = violations_since(installation, start, codes=(_UNDECLARED, _UNKNOWN), event=event, limit=MOST_VIOLATIONS)
    for row in rows:
        if row.code == _UNKNOWN:
            drafting.add_unknown(_outline(row))
        else:
            drafting.add_undeclared(_outline(row))


def _outline(row: ViolationRecord) -> Outline:
    part: dict[str, Any] = row.sample.get("properties", {})
    return Outline(
        event=row.event_name,
        version=row.event_version or 1,
        key="" if row.code == _UNKNOWN else key_of("properties", row.path),
        times=row.count,
        names={name: shown["type"] for name, shown in part.get("names", {}).items()},
        unnamed=part.get("unnamed", 0),
    )
