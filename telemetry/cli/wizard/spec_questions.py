"""The questions about a spec as a whole: meta, defaults and providers; then those about each event."""

from typing import Any

from telemetry.cli.wizard.answers import (
    Question,
    choice,
    field,
    help_of,
    listed,
    more,
    number,
    optional_number,
    unique,
    words_of,
)
from telemetry.cli.wizard.event_questions import ask_event
from telemetry.cli.wizard.session import Session
from telemetry.core.enums import ProviderType, Stability
from telemetry.core.spec import (
    AnomalyDefaults,
    EventDefinition,
    ProviderDefinition,
    TelemetryDefaults,
    TelemetryMeta,
    TelemetrySpec,
)

__all__ = ["ask_spec"]


def ask_spec(session: Session) -> TelemetrySpec:
    """A spec from the answers to all questions; valid, since each answer is checked when it is given."""
    meta = _ask_meta(session)
    config = _ask_defaults(session)
    events: list[EventDefinition] = []
    while not events or session.ask(more("events", len(events), "Another event")):
        events.append(ask_event(session, meta, events))
    return TelemetrySpec(meta=meta, config=config, events=tuple(events))


def _ask_meta(session: Session) -> TelemetryMeta:
    def ask(name: str, text: str, read: Any, default: str | None, words: str = "") -> Any:
        return session.ask(
            Question(f"meta.{name}", text, read, default, help_of(TelemetryMeta, name), words, flag=f"--{name}")
        )

    session.head("The spec. < goes back, ? explains, Enter takes what is in brackets.", "meta.name")
    name = ask("name", "Name", field(TelemetryMeta, "name"), None, "such as sigil.telemetry")
    words = name.replace(".", " ").replace("_", " ").replace("-", " ").strip()
    return TelemetryMeta(
        name=name,
        version=ask("version", "Version", number(TelemetryMeta, "version"), "1"),
        title=ask("title", "Title", field(TelemetryMeta, "title"), words[:1].upper() + words[1:]),
        description=ask("description", "Description", field(TelemetryMeta, "description"), ""),
        domain=ask("domain", "Domain", field(TelemetryMeta, "domain"), name.partition(".")[0]),
        owners=ask("owners", "Owners", listed(TelemetryMeta, "owners"), "", "@team, @other"),
        tags=ask("tags", "Tags", listed(TelemetryMeta, "tags"), "", "words parted by commas"),
        stability=Stability(
            ask("stability", "Stability", choice(list(Stability)), "experimental", words_of(Stability))
        ),
    )


def _ask_defaults(session: Session) -> TelemetryDefaults | None:
    def ask(name: str, text: str, read: Any, default: str, words: str = "") -> Any:
        said = Question(
            f"config.{name}", text, read, default, help_of(TelemetryDefaults, name), words, f"--{_dashed(name)}"
        )
        return session.ask(said)

    session.head("What holds for every event that does not say otherwise", "config.default_retention_days")
    days = ask(
        "default_retention_days",
        "Days that events are kept",
        optional_number(TelemetryDefaults, "default_retention_days"),
        "",
    )
    rate = ask(
        "default_sampling_rate",
        "Share of subjects kept",
        optional_number(TelemetryDefaults, "default_sampling_rate"),
        "",
        "0 to 1",
    )
    interval = session.ask(
        Question(
            "config.check_interval_ms",
            "Milliseconds between checks of anomaly rules",
            optional_number(AnomalyDefaults, "check_interval_ms"),
            "",
            help_of(AnomalyDefaults, "check_interval_ms"),
            flag="--check-interval-ms",
        )
    )
    providers = _ask_providers(session)
    if days is None and rate is None and interval is None and not providers:
        return None
    return TelemetryDefaults(
        default_retention_days=days,
        default_sampling_rate=rate,
        providers=tuple(providers),
        anomaly_detection=None if interval is None else AnomalyDefaults(check_interval_ms=interval),
    )


def _dashed(name: str) -> str:
    return name.removeprefix("default_").replace("_", "-")


def _ask_providers(session: Session) -> list[ProviderDefinition]:
    session.head("Places where events go", "providers.0")
    providers: list[ProviderDefinition] = []
    while session.ask(more("providers", len(providers), "Another provider" if providers else "Add a provider")):
        providers.append(_ask_provider(session, f"providers.{len(providers)}"))
    return providers


def _ask_provider(session: Session, key: str) -> ProviderDefinition:
    type_ = session.ask(
        Question(f"{key}.type", "Provider", choice(list(ProviderType)), "posthog", words=words_of(ProviderType))
    )
    settings: dict[str, str] = {}
    while True:
        place = f"{key}.settings.{len(settings)}"
        read = unique(str, settings, "is set already")
        name = session.ask(
            Question(f"{place}.name", "Setting", read, "", help_of(ProviderDefinition, "config"), "Enter ends")
        )
        if not name:
            return ProviderDefinition(type=ProviderType(type_), config=settings)
        example = "${" + "_".join((type_, "key")).upper() + "}"
        settings[name] = session.ask(
            Question(
                f"{place}.value", f"{name}", _setting, None, help_of(ProviderDefinition, "config"), f"such as {example}"
            )
        )


def _setting(text: str) -> str:
    return text
