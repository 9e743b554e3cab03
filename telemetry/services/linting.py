"""Linting drafts, with what the workspace knows around them: the published version, contracts, all events of before."""

from collections import Counter
from collections.abc import Iterable, Iterator

from django.utils import timezone

from telemetry.core.errors import FieldError
from telemetry.core.lint import Finding, Severity, lint_spec
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import events_with_parts, spec_from_rows
from telemetry.models import EventRecord, SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.event_specs import known_around
from tenants.services.checks import refuse_errors

__all__ = ["count_findings", "lint_as_draft", "lint_document", "lint_draft", "refuse_findings"]


def lint_draft(record: SpecRecord) -> tuple[Finding, ...]:
    """What lint says about the draft today (UTC), in document order.

    Three queries, however many events.
    """
    state = DraftState(record)
    return lint_as_draft(state.draft, state)


def lint_as_draft(spec: TelemetrySpec, state: DraftState | None) -> tuple[Finding, ...]:
    """What lint would say about ``spec``, which is valid, were it the draft of the state; ``None`` for a new spec.

    Two queries, one for a new spec and where the versions were read before.
    """
    return _lint(spec, None if state is None else state.published_spec)


def lint_document(spec: TelemetrySpec) -> tuple[Finding, ...]:
    """What lint would say about ``spec``, which is valid, were it the draft of its name. Up to three queries."""
    record = SpecRecord.objects.filter(name=spec.meta.name).order_by().first()
    return lint_as_draft(spec, None if record is None else DraftState(record))


def refuse_findings(spec: TelemetrySpec, published: TelemetrySpec | None) -> None:
    """Return if lint finds no error in ``spec``, which would replace ``published``; one query.

    Raises ``InvalidDocument`` with every error; its codes are the names of the rules.
    """
    errors = (each for each in _lint(spec, published) if each.severity is Severity.ERROR)
    refuse_errors("publication", *(FieldError(each.rule, each.path, f"{each.message}. {each.hint}") for each in errors))


def count_findings(record: SpecRecord) -> None:
    """Every event row of the draft says how many errors and warnings it has today (UTC).

    Six queries, two fewer when no number changes; for each further 500 rows that change, one more.
    """
    rows = list(events_with_parts(record))
    counts = Counter(_event_places(lint_as_draft(spec_from_rows(record, rows), DraftState(record))))
    changed = [(row, counts[place]) for place, row in enumerate(rows) if row.finding_count != counts[place]]
    for row, count in changed:
        row.finding_count = count
    EventRecord.objects.bulk_update([row for row, _ in changed], ["finding_count"], batch_size=500)


def _event_places(findings: Iterable[Finding]) -> Iterator[int]:
    """The place in the document of each finding's event; advice, and findings about the spec as a whole, have none."""
    for finding in findings:
        if finding.event_index is not None and finding.severity is not Severity.INFO:
            yield finding.event_index


def _lint(spec: TelemetrySpec, published: TelemetrySpec | None) -> tuple[Finding, ...]:
    names = dict.fromkeys(_names(spec))
    known = known_around(spec.meta.domain, names)
    return lint_spec(
        spec,
        today=timezone.now().date(),
        published=published,
        event_specs=known.contracts,
        history=known.published,
    )


def _names(spec: TelemetrySpec) -> Iterator[str]:
    """The names of all events, and of those that replace them."""
    for event in spec.events:
        yield event.name
        if event.deprecation is not None and event.deprecation.replaced_by is not None:
            yield event.deprecation.replaced_by.partition("@")[0]
