"""Which values of the event's properties changed with an incident: from tallies, and from what is stored, redacted."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from telemetry.core.anomaly.changed_shares import ChangedShare, Shares, changed_shares
from telemetry.core.anomaly.rules import counted_value
from telemetry.models import EventTally, Incident
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.stores.base import EventWindow, StoredRow
from telemetry.stores.chosen import EVENT_STORE
from telemetry.tallies.detail import TallyDetail, decode_detail

__all__ = ["APP_VERSION", "changed_values"]

# What stands beside the event's properties: a release is what changes most often.
APP_VERSION: Final = "app version"
# Enough to tell a change of five percent from chance; the newest of each span.
_MOST_EVENTS: Final = 1_000
_MOST_TALLIES: Final = 3_000
_LONGEST_VALUE: Final = 60


def changed_values(incident: Incident, since: datetime) -> list[ChangedShare]:
    """The values whose share changed most between [``since``, the first window) and the incident itself.

    Values that are counted in tallies (truth and allowed values) come from there: before sampling, and of all events.
    The others come from at most 1,000 stored events of each span, weighted by their inclusion probability. A property
    that the config hides now is left out, whatever was stored of it. Four queries at most, one without a config.
    """
    compiled = config_at_ingest(incident.installation).compiled
    event = None if compiled is None else compiled.find(incident.event_name, incident.event_version)
    if event is None:
        return []
    shown = event.properties.all.keys() - event.properties.hidden.keys()
    middle = incident.first_window
    end = max(incident.last_breach_at, middle + timedelta(minutes=incident.minutes))
    tallies = [_tallies(incident, since, middle), _tallies(incident, middle, end)]
    counted = {name for part in tallies for tally in part for name in tally.values} & shown
    before, during = (_shares_of(part, counted) for part in tallies)
    _add_stored(before, incident, shown - counted, since, middle)
    _add_stored(during, incident, shown - counted, middle, end)
    return changed_shares(before, during)


def _tallies(incident: Incident, start: datetime, end: datetime) -> list[TallyDetail]:
    """What was tallied of the event in [start, end), by when it happened; the latest, if there is too much."""
    rows = EventTally.objects.filter(
        installation_id=incident.installation_id,
        name=incident.event_name,
        version=incident.event_version,
        minute__gte=start,
        minute__lt=end,
        detail__isnull=False,
    )
    details = rows.order_by("-minute").values_list("detail", flat=True)[:_MOST_TALLIES]
    return [decode_detail(bytes(each)) for each in details if each is not None]


def _shares_of(tallies: Iterable[TallyDetail], names: Collection[str]) -> Shares:
    """The shares of the values that were counted one by one, and of events without them."""
    shares = Shares()
    for tally in tallies:
        for name in names:
            for value, count in tally.values.get(name, {}).items():
                shares.add(name, value, events=count)
            if absent := tally.missing.get(name, 0):
                shares.add(name, None, events=absent)
    return shares


def _add_stored(shares: Shares, incident: Incident, names: Collection[str], start: datetime, end: datetime) -> None:
    window = EventWindow(start, end, incident.event_name, incident.event_version, _MOST_EVENTS)
    for row in EVENT_STORE.read(incident.installation_id, window):
        weight = 1.0 / row.inclusion_probability
        for name, value in _values_of(row, names):
            shares.add(name, value, weight=weight)


def _values_of(row: StoredRow, names: Collection[str]) -> Iterator[tuple[str, str | None]]:
    """What one event has of each property that can be told in a word, and the version of its app."""
    properties: Mapping[str, Any] = row.properties
    for name in names:
        value = properties.get(name)
        if value is None or isinstance(value, bool | int | float):
            yield name, None if value is None else counted_value(value)
        elif isinstance(value, str) and len(value) <= _LONGEST_VALUE:
            yield name, value
    if row.app_version is not None:
        yield APP_VERSION, row.app_version
