"""Where rows become core values and back; the only module that knows both sides."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, TypeVar

import msgspec
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, Field, Func, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast

from telemetry.core.enums import (
    AnomalyAction,
    PrivacyLevel,
    PropertyType,
    RedactionStrategy,
    RetentionPolicy,
    Stability,
    TimeUnit,
)
from telemetry.core.event_specs import EventSpec
from telemetry.core.plain import to_plain
from telemetry.core.search_text import search_text
from telemetry.core.spec import (
    AllowedValue,
    AnomalyDetection,
    AnomalyRule,
    Deprecation,
    EventDefinition,
    LintOptOut,
    PropertyDefinition,
    Redaction,
    Retention,
    Sampling,
    Semantics,
    TelemetryDefaults,
    TelemetryMeta,
    TelemetrySpec,
    Threshold,
)
from telemetry.models import EventRecord, PropertyRecord, SpecRecord, SpecVersion, ThresholdRecord
from telemetry.models.fields import DocumentField

__all__ = [
    "defaults_from_record",
    "event_from_parts",
    "event_from_record",
    "event_spec_from_document",
    "events_with_parts",
    "meta_from_record",
    "save_defaults_to_record",
    "save_events_to_records",
    "save_meta_to_record",
    "save_spec_to_records",
    "spec_from_document",
    "spec_from_records",
    "spec_from_rows",
    "spec_of_version",
]

Part = TypeVar("Part", PropertyRecord, ThresholdRecord)

# What a change of an event may change: all but its identity.
_EVENT_COLUMNS = [
    field.name for field in EventRecord._meta.concrete_fields if field.name not in ("id", "spec", "name", "version")
]


# Rows to values


def spec_from_records(record: SpecRecord) -> TelemetrySpec:
    """The draft as one value, of one moment, with ``draft_version`` as its version; one query."""
    rows = EventRecord.objects.filter(spec=record).annotate(
        property_rows=_written(PropertyRecord), threshold_rows=_written(ThresholdRecord)
    )
    return TelemetrySpec(
        meta=meta_from_record(record),
        config=defaults_from_record(record),
        events=tuple(
            event_from_parts(row, _read(PropertyRecord, row.property_rows), _read(ThresholdRecord, row.threshold_rows))
            for row in rows
        ),
    )


def spec_from_rows(record: SpecRecord, events: Iterable[EventRecord]) -> TelemetrySpec:
    """The draft as one value, of event rows that came from ``events_with_parts``; no query of its own."""
    return TelemetrySpec(
        meta=meta_from_record(record),
        config=defaults_from_record(record),
        events=tuple(map(event_from_record, events)),
    )


def spec_of_version(version: SpecVersion) -> TelemetrySpec:
    """What the frozen document says; no query."""
    return spec_from_document(version.document)


def spec_from_document(document: str) -> TelemetrySpec:
    """What a frozen document says.

    It was checked when it was published: a rule that became stricter since must not make a live config unreadable.
    """
    return msgspec.json.decode(document, type=TelemetrySpec)


def event_spec_from_document(document: str) -> EventSpec:
    """What a stored contract says; it was checked when it was imported."""
    return msgspec.json.decode(document, type=EventSpec)


def events_with_parts(record: SpecRecord) -> QuerySet[EventRecord]:
    """The draft's events in document order, each with its properties and thresholds: three queries."""
    return EventRecord.objects.filter(spec=record).prefetch_related("properties", "thresholds")


def meta_from_record(record: SpecRecord) -> TelemetryMeta:
    """The draft's ``meta``; no query."""
    return TelemetryMeta(
        name=record.name,
        version=record.draft_version,
        title=record.title,
        description=record.description,
        domain=record.domain,
        owners=tuple(record.owners),
        tags=tuple(record.tags),
        stability=Stability(record.stability),
    )


def defaults_from_record(record: SpecRecord) -> TelemetryDefaults | None:
    """The draft's ``config``, or ``None`` when the document has none; no query."""
    fragment = {
        "defaultRetentionDays": record.default_retention_days,
        "defaultSamplingRate": record.default_sampling_rate,
        "undeclaredProperties": record.undeclared_properties,
        "contextProperties": record.context_properties,
        "providers": record.providers,
        "anomalyDetection": _anomaly_defaults_fragment(record),
        "quarantine": _quarantine_fragment(record),
        "maskDetected": record.mask_detected,
    }
    defaults = msgspec.convert(fragment, TelemetryDefaults)
    return defaults if record.declares_defaults or defaults != TelemetryDefaults() else None


def event_from_record(record: EventRecord) -> EventDefinition:
    """One event as a value; two queries unless the record came from ``events_with_parts``."""
    return event_from_parts(record, record.properties.all(), record.thresholds.all())


def event_from_parts(
    record: EventRecord, properties: Iterable[PropertyRecord], thresholds: Iterable[ThresholdRecord]
) -> EventDefinition:
    """One event as a value, with the rows of its properties and thresholds in their order; no query."""
    return EventDefinition(
        name=record.name,
        version=record.version,
        semantics=Semantics(what=record.semantics_what, who=record.semantics_who, why=record.semantics_why),
        privacy=PrivacyLevel(record.privacy),
        properties={row.name: _property_from_record(row) for row in properties},
        retention=_retention_from_record(record),
        sampling=_sampling_from_record(record),
        anomaly_detection=_anomaly_detection_from_record(record, thresholds),
        tags=tuple(record.tags),
        owners=tuple(record.owners),
        review_by=None if record.review_by is None else record.review_by.isoformat(),
        deprecation=_deprecation_from_record(record),
        lint_opt_outs=msgspec.convert(record.lint_opt_outs, tuple[LintOptOut, ...]),
    )


def _written(model: type[PropertyRecord | ThresholdRecord]) -> ArraySubquery:
    """The event's rows in a table, in order, each as the JSON text of its columns; not ``jsonb``: ``DocumentField``."""
    columns: list[F] = [F(field.attname) for field in model._meta.concrete_fields]
    document = Cast(Func(*columns, function="json_build_array"), TextField())
    rows = model._default_manager.filter(event=OuterRef("pk")).order_by("position", "id")
    return ArraySubquery(rows.values_list(document))


def _read(model: type[Part], texts: Iterable[str]) -> Iterator[Part]:
    """The rows that ``_written`` wrote, as the table has them."""
    fields = model._meta.concrete_fields
    for text in texts:
        values = zip(fields, msgspec.json.decode(text), strict=True)
        yield model(**{field.attname: _column(field, value) for field, value in values})


def _column(field: "Field[Any, Any]", value: Any) -> Any:
    if isinstance(field, DocumentField):
        return None if value is None else json.loads(value)
    return field.to_python(value)


def _anomaly_defaults_fragment(record: SpecRecord) -> dict[str, object] | None:
    if record.anomaly_enabled is None:
        return None
    return {"enabled": record.anomaly_enabled, "checkIntervalMs": record.anomaly_check_interval_ms}


def _quarantine_fragment(record: SpecRecord) -> dict[str, object] | None:
    if record.quarantine_enabled is None:
        return None
    return {"enabled": record.quarantine_enabled, "days": record.quarantine_days}


def _property_from_record(record: PropertyRecord) -> PropertyDefinition:
    return PropertyDefinition(
        type=PropertyType(record.type),
        required=record.required,
        pii=record.pii,
        redact=record.redact,
        redaction=_redaction_from_record(record),
        description=record.description,
        allowed_values=msgspec.convert(record.allowed_values, tuple[AllowedValue, ...]),
        unit=record.unit,
    )


def _redaction_from_record(record: PropertyRecord) -> Redaction | None:
    if record.redaction_strategy is None:
        return None
    return Redaction(
        strategy=RedactionStrategy(record.redaction_strategy),
        length=record.redaction_length,
        unit=None if record.redaction_unit is None else TimeUnit(record.redaction_unit),
        bucket=record.redaction_bucket,
    )


def _retention_from_record(record: EventRecord) -> Retention | None:
    if record.retention_days is None or record.retention_policy is None:
        return None
    return Retention(days=record.retention_days, policy=RetentionPolicy(record.retention_policy))


def _sampling_from_record(record: EventRecord) -> Sampling | None:
    if record.sampling_rate is None:
        return None
    return Sampling(rate=record.sampling_rate, conditions=tuple(record.sampling_conditions))


def _anomaly_detection_from_record(
    record: EventRecord, thresholds: Iterable[ThresholdRecord]
) -> AnomalyDetection | None:
    if record.anomaly_enabled is None:
        return None
    return AnomalyDetection(
        enabled=record.anomaly_enabled,
        minimum_sample=record.anomaly_minimum_sample,
        thresholds=tuple(Threshold(metric=t.metric, min=t.min, max=t.max) for t in thresholds),
        rules=msgspec.convert(record.anomaly_rules, tuple[AnomalyRule, ...]),
        actions=tuple(AnomalyAction(action) for action in record.anomaly_actions),
    )


def _deprecation_from_record(record: EventRecord) -> Deprecation | None:
    if record.deprecation_reason is None:
        return None
    return Deprecation(reason=record.deprecation_reason, replaced_by=record.deprecation_replaced_by)


# Values to rows


def save_spec_to_records(spec: TelemetrySpec, record: SpecRecord) -> None:
    """The rows say exactly what ``spec`` says; events that it leaves out are gone, the others keep their row ids.

    The caller holds the lock and the transaction. Name and version of ``spec`` become the record's.
    """
    save_meta_to_record(spec.meta, record)
    save_defaults_to_record(spec.config, record)
    record.save()
    kept = {(event.name, event.version) for event in spec.events}
    known = EventRecord.objects.filter(spec=record).values_list("id", "name", "version")
    gone = [row_id for row_id, name, version in known if (name, version) not in kept]
    EventRecord.objects.filter(id__in=gone).delete()
    save_events_to_records(record, list(enumerate(spec.events)))


def save_meta_to_record(meta: TelemetryMeta, record: SpecRecord) -> None:
    """The record's columns say what ``meta`` says; not saved yet."""
    record.name = meta.name
    record.draft_version = meta.version
    record.title = meta.title
    record.description = meta.description
    record.domain = meta.domain
    record.owners = list(meta.owners)
    record.tags = list(meta.tags)
    record.stability = meta.stability.value


def save_defaults_to_record(defaults: TelemetryDefaults | None, record: SpecRecord) -> None:
    """The record's columns say what ``defaults`` says; not saved yet."""
    said = defaults or TelemetryDefaults()
    record.declares_defaults = defaults is not None
    record.default_retention_days = said.default_retention_days
    record.default_sampling_rate = said.default_sampling_rate
    record.undeclared_properties = None if said.undeclared_properties is None else said.undeclared_properties.value
    record.context_properties = msgspec.to_builtins(said.context_properties)
    record.providers = msgspec.to_builtins(said.providers)
    record.anomaly_enabled = None if said.anomaly_detection is None else said.anomaly_detection.enabled
    record.anomaly_check_interval_ms = (
        None if said.anomaly_detection is None else said.anomaly_detection.check_interval_ms
    )
    record.quarantine_enabled = None if said.quarantine is None else said.quarantine.enabled
    record.quarantine_days = None if said.quarantine is None else said.quarantine.days
    record.mask_detected = said.mask_detected


def save_events_to_records(record: SpecRecord, events: Sequence[tuple[int, EventDefinition]]) -> list[EventRecord]:
    """Each event, given with its position, is stored with its properties and thresholds; other events stay.

    The rows come in the order of ``events``, with their ids. A constant number of queries, however many events. The
    caller holds the lock and the transaction.
    """
    rows = EventRecord.objects.bulk_create(
        [_event_row(record, position, event) for position, event in events],
        update_conflicts=True,
        unique_fields=["spec", "name", "version"],
        update_fields=_EVENT_COLUMNS,
    )
    PropertyRecord.objects.filter(event__in=rows).delete()
    ThresholdRecord.objects.filter(event__in=rows).delete()
    definitions = [(row, event) for row, (_, event) in zip(rows, events, strict=True)]
    PropertyRecord.objects.bulk_create(part for row, event in definitions for part in _property_rows(row, event))
    ThresholdRecord.objects.bulk_create(part for row, event in definitions for part in _threshold_rows(row, event))
    return rows


def _event_row(record: SpecRecord, position: int, event: EventDefinition) -> EventRecord:
    retention, sampling, anomaly = event.retention, event.sampling, event.anomaly_detection
    deprecation = event.deprecation
    return EventRecord(
        spec=record,
        name=event.name,
        version=event.version,
        position=position,
        semantics_what=event.semantics.what,
        semantics_who=event.semantics.who,
        semantics_why=event.semantics.why,
        privacy=event.privacy.value,
        retention_days=None if retention is None else retention.days,
        retention_policy=None if retention is None else retention.policy.value,
        sampling_rate=None if sampling is None else sampling.rate,
        sampling_conditions=[] if sampling is None else list(sampling.conditions),
        anomaly_enabled=None if anomaly is None else anomaly.enabled,
        anomaly_minimum_sample=None if anomaly is None else anomaly.minimum_sample,
        anomaly_actions=[] if anomaly is None else [action.value for action in anomaly.actions],
        anomaly_rules=[] if anomaly is None else to_plain(anomaly.rules),
        tags=list(event.tags),
        owners=list(event.owners),
        review_by=None if event.review_by is None else date.fromisoformat(event.review_by),
        deprecation_reason=None if deprecation is None else deprecation.reason,
        deprecation_replaced_by=None if deprecation is None else deprecation.replaced_by,
        lint_opt_outs=to_plain(event.lint_opt_outs),
        search_text=search_text(event),
    )


def _property_rows(row: EventRecord, event: EventDefinition) -> Iterable[PropertyRecord]:
    for position, (name, definition) in enumerate(event.properties.items()):
        redaction = definition.redaction
        yield PropertyRecord(
            event=row,
            name=name,
            position=position,
            type=definition.type.value,
            required=definition.required,
            pii=definition.pii,
            redact=definition.redact,
            redaction_strategy=None if redaction is None else redaction.strategy.value,
            redaction_length=None if redaction is None else redaction.length,
            redaction_unit=None if redaction is None or redaction.unit is None else redaction.unit.value,
            redaction_bucket=None if redaction is None else redaction.bucket,
            description=definition.description,
            allowed_values=to_plain(definition.allowed_values),
            unit=definition.unit,
        )


def _threshold_rows(row: EventRecord, event: EventDefinition) -> Iterable[ThresholdRecord]:
    thresholds = () if event.anomaly_detection is None else event.anomaly_detection.thresholds
    for position, threshold in enumerate(thresholds):
        yield ThresholdRecord(
            event=row, position=position, metric=threshold.metric, min=threshold.min, max=threshold.max
        )
