"""The tallies as a place in which something about a person may be: sketches of few subjects tell who was among them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from time import monotonic
from typing import Final

import msgspec
from django.db.models import Min
from django.utils import timezone

from telemetry.models import EventTally
from telemetry.services.erasure.places import Count, Search, Turn, Visit
from telemetry.services.tallies import wait_for_merging
from telemetry.tallies.detail import decode_detail, encode_detail
from telemetry.tallies.sketches import coupons_of, without_subjects

__all__ = ["Tallies"]

# Of minutes of receipt. With a hundred events of ten installations, some hundred thousand tallies.
WINDOW: Final = timedelta(hours=6)
PORTION: Final = 2_000


class Tallies:
    """Sketches of unique subjects: the person is taken out of those that hold subjects one by one.

    One of more than some 380 subjects holds nobody in particular, and stays. Counts are of events, and stay.
    """

    name = "tallies"

    def visit(self, search: Search, turn: Turn) -> Visit:
        """Some hours of receipt at a time; tallies are not merged meanwhile, so what is behind stays as it is."""
        wait_for_merging()
        rows, coupons, ends_at = Count(), coupons_of(search.pseudonyms), timezone.now()
        start = _first(search) if turn.last is None else msgspec.convert(turn.last, datetime)
        while start is not None and start <= ends_at:
            for tally in _received(search, start):
                if _forget(tally, coupons, erases=turn.erases):
                    rows[self.name, tally.installation_id, tally.name] += 1
            start += WINDOW
            if monotonic() > turn.ends_at:
                return Visit(rows, start.isoformat())
        return Visit(rows, None)


def _first(search: Search) -> datetime | None:
    of_tenant = EventTally.objects.filter(installation_id__in=search.installations)
    first: datetime | None = of_tenant.aggregate(first=Min("received_minute"))["first"]
    return first


def _received(search: Search, start: datetime) -> Iterator[EventTally]:
    rows = EventTally.objects.filter(
        installation_id__in=search.installations,
        received_minute__gte=start,
        received_minute__lt=start + WINDOW,
        detail__isnull=False,
    )
    return rows.order_by().only("installation_id", "name", "received_minute", "detail").iterator(PORTION)


def _forget(tally: EventTally, coupons: frozenset[bytes], *, erases: bool) -> bool:
    """Whether the person is in the tally's sketch; erased, not any more."""
    detail = decode_detail(bytes(tally.detail or b""))
    subjects = without_subjects(detail.subjects, coupons)
    if subjects == detail.subjects:
        return False
    if erases:
        detail.subjects = subjects
        # By the index of its installation's minutes: there is none of ids.
        row = EventTally.objects.filter(
            installation_id=tally.installation_id, received_minute=tally.received_minute, pk=tally.pk
        )
        row.update(detail=encode_detail(detail))
    return True
