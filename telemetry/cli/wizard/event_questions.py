"""The questions about one event: what it means, what it carries, and the rules that hold for it."""

from typing import Any

from telemetry.cli.wizard.answers import (
    NotAnAnswer,
    Question,
    choice,
    condition,
    field,
    flag,
    help_of,
    listed,
    more,
    number,
    optional,
    optional_number,
    unique,
    words_of,
)
from telemetry.cli.wizard.session import Session
from telemetry.core.enums import AnomalyAction, PrivacyLevel, PropertyType, RetentionPolicy
from telemetry.core.spec import (
    AnomalyDetection,
    EventDefinition,
    PropertyDefinition,
    Retention,
    Sampling,
    Semantics,
    TelemetryMeta,
    Threshold,
)

__all__ = ["ask_event"]

# Metrics are read off these.
_METRICS = (PropertyType.NUMBER, PropertyType.JSON)


def ask_event(session: Session, meta: TelemetryMeta, others: list[EventDefinition]) -> EventDefinition:
    key = f"events.{len(others)}"

    def ask(name: str, text: str, read: Any, default: str | None, said: str, words: str = "") -> Any:
        return session.ask(Question(f"{key}.{name}", text, read, default, said, words, flag="--event"))

    session.head(f"Event {len(others) + 1}", f"{key}.name")
    name = ask(
        "name",
        "Event",
        field(EventDefinition, "name"),
        None,
        help_of(EventDefinition, "name"),
        f"such as {meta.name}.step",
    )
    taken = [event.version for event in others if event.name == name]
    version = ask(
        "version",
        "Version",
        unique(number(EventDefinition, "version"), taken, "is in the spec already"),
        str(max(taken, default=0) + 1),
        help_of(EventDefinition, "version"),
    )
    semantics = Semantics(
        what=ask("what", "What happened", field(Semantics, "what"), None, help_of(Semantics, "what")),
        who=ask("who", "Who did it", field(Semantics, "who"), "", help_of(Semantics, "who")),
        why=ask("why", "Why it is collected", field(Semantics, "why"), "", help_of(Semantics, "why")),
    )
    privacy = ask(
        "privacy",
        "Privacy",
        choice(list(PrivacyLevel)),
        "internal",
        help_of(EventDefinition, "privacy"),
        words_of(PrivacyLevel),
    )
    properties = _ask_properties(session, key)
    return EventDefinition(
        name=name,
        version=version,
        semantics=semantics,
        privacy=PrivacyLevel(privacy),
        properties=properties,
        retention=_ask_retention(session, key),
        sampling=_ask_sampling(session, key, properties),
        anomaly_detection=_ask_anomalies(session, key, properties),
        tags=ask("tags", "Tags", listed(EventDefinition, "tags"), "", help_of(EventDefinition, "tags")),
    )


def _ask_properties(session: Session, event: str) -> dict[str, PropertyDefinition]:
    properties: dict[str, PropertyDefinition] = {}
    while True:
        key = f"{event}.properties.{len(properties)}"
        read = optional(unique(_property_name, properties, "is a property of the event already"))
        name = session.ask(
            Question(f"{key}.name", "Property", read, "", "What the event carries.", "Enter ends", "--property")
        )
        if name is None:
            return properties
        properties[name] = _ask_property(session, key)


def _property_name(text: str) -> str:
    return str(field(Threshold, "metric")(text))


def _ask_property(session: Session, key: str) -> PropertyDefinition:
    def ask(name: str, text: str, read: Any, default: str, words: str = "y or n") -> Any:
        return session.ask(
            Question(
                f"{key}.{name}", f"  {text}", read, default, help_of(PropertyDefinition, name), words, "--property"
            )
        )

    type_ = PropertyType(ask("type", "Type", choice(list(PropertyType)), "string", words_of(PropertyType)))
    required = ask("required", "Required", flag, "n")
    pii = ask("pii", "Personal data", flag, "n")
    return PropertyDefinition(
        type=type_,
        required=required,
        pii=True if pii else None,
        redact=ask("redact", "Redact it", flag, "y" if pii else "n"),
        description=ask("description", "Description", field(PropertyDefinition, "description"), "", ""),
    )


def _ask_retention(session: Session, event: str) -> Retention | None:
    key = f"{event}.retention"
    days = session.ask(
        Question(
            f"{key}.days",
            "Days that it is kept",
            optional_number(Retention, "days"),
            "",
            help_of(Retention, "days"),
            "Enter: as the spec says",
            "--retention",
        )
    )
    if days is None:
        return None
    words = words_of(RetentionPolicy)
    read = choice(list(RetentionPolicy))
    policy = session.ask(
        Question(f"{key}.policy", "Then", read, "delete", help_of(Retention, "policy"), words, "--retention")
    )
    return Retention(days=days, policy=RetentionPolicy(policy))


def _ask_sampling(session: Session, event: str, properties: dict[str, PropertyDefinition]) -> Sampling | None:
    key = f"{event}.sampling"
    rate = session.ask(
        Question(
            f"{key}.rate",
            "Share of subjects kept",
            optional_number(Sampling, "rate"),
            "",
            help_of(Sampling, "rate"),
            "0 to 1; Enter: as the spec says",
            "--sampling",
        )
    )
    conditions: list[str] = []
    while rate is not None:
        said = session.ask(
            Question(
                f"{key}.conditions.{len(conditions)}",
                "Only if",
                optional(condition(properties)),
                "",
                help_of(Sampling, "conditions"),
                "such as properties.step == 'a'; Enter ends",
                "--condition",
            )
        )
        if said is None:
            break
        conditions.append(said)
    return None if rate is None else Sampling(rate=rate, conditions=tuple(conditions))


def _ask_anomalies(session: Session, event: str, properties: dict[str, PropertyDefinition]) -> AnomalyDetection | None:
    key = f"{event}.anomalies"
    metrics = [name for name, definition in properties.items() if definition.type in _METRICS]
    if not metrics or not session.ask(
        Question(key, "Watch its metrics for anomalies", flag, "n", help_of(AnomalyDetection, "thresholds"), "y or n")
    ):
        return None
    minimum = session.ask(
        Question(
            f"{key}.minimum_sample",
            "Values that a window needs",
            optional_number(AnomalyDetection, "minimum_sample"),
            "10",
            help_of(AnomalyDetection, "minimum_sample"),
            flag="--minimum-sample",
        )
    )
    thresholds: list[Threshold] = []
    while not thresholds or session.ask(more(f"{key}.thresholds", len(thresholds), "Another threshold")):
        thresholds.append(_ask_threshold(session, f"{key}.thresholds.{len(thresholds)}", metrics))
    actions = session.ask(
        Question(
            f"{key}.actions",
            "Then",
            _actions,
            "alert",
            help_of(AnomalyDetection, "actions"),
            f"{words_of(AnomalyAction)}, parted by commas",
            "--action",
        )
    )
    return AnomalyDetection(minimum_sample=minimum, thresholds=tuple(thresholds), actions=actions)


def _actions(text: str) -> tuple[AnomalyAction, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    return tuple(dict.fromkeys(AnomalyAction(choice(list(AnomalyAction))(word)) for word in words))


def _ask_threshold(session: Session, key: str, metrics: list[str]) -> Threshold:
    metric = session.ask(
        Question(
            f"{key}.metric",
            "Metric",
            _metric(metrics),
            metrics[0],
            help_of(Threshold, "metric"),
            words_of(metrics),
            "--threshold",
        )
    )
    low = session.ask(
        Question(
            f"{key}.min",
            "  Lowest",
            optional_number(Threshold, "min"),
            "",
            help_of(Threshold, "min"),
            "Enter: none",
            "--threshold",
        )
    )
    read = _highest(low)
    words = "Enter: none" if low is not None else ""
    high = session.ask(
        Question(
            f"{key}.max",
            "  Highest",
            read,
            None if low is None else "",
            help_of(Threshold, "max"),
            words,
            "--threshold",
        )
    )
    return Threshold(metric=metric, min=low, max=high)


def _metric(metrics: list[str]) -> Any:
    def read(text: str) -> str:
        if text not in metrics:
            raise NotAnAnswer(f"must be one of: {', '.join(metrics)}")
        return text

    return read


def _highest(low: float | None) -> Any:
    read_number = number(Threshold, "max")

    def read(text: str) -> float | None:
        if not text and low is not None:
            return None
        if not text:
            raise NotAnAnswer("must be a number: a threshold needs one bound at least")
        value = float(read_number(text))
        if low is not None and value < low:
            raise NotAnAnswer("must not be less than the lowest")
        return value

    return read
