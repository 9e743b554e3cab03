"""Where a tracker finds the rules of an event: a registry, one config, or a studio."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Self

import msgspec

from telemetry.core.config import EffectiveConfig, EffectiveEvent, InstallationIdentity
from telemetry.core.enums import Environment
from telemetry.core.events import PseudonymKey
from telemetry.core.express import ExpressLane
from telemetry.core.pipeline import CompiledConfig, compile_config
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import TelemetrySpec

__all__ = ["LOCAL_INSTALLATION", "ConfigRules", "RegistryRules", "RuleSource", "Rules"]

# Apps without a studio: one fixed salt, so that all their processes keep the same subjects.
LOCAL_INSTALLATION = InstallationIdentity(
    tenant="local", app="local", environment=Environment.DEVELOPMENT, sampling_salt="local"
)


class Rules(msgspec.Struct, frozen=True):
    """What events are judged by; without a key, subject ids are left out instead of becoming pseudonyms.

    ``events`` holds the same events for the anomaly monitor, and ``window`` the width in which it judges. ``lane`` is
    the quick way through the same rules.
    """

    compiled: CompiledConfig
    events: Mapping[tuple[str, int], EffectiveEvent]
    window: timedelta
    key: PseudonymKey | None
    lane: ExpressLane

    @classmethod
    def of(cls, config: EffectiveConfig, *, key: PseudonymKey | None = None) -> Self:
        """Prepare the rules of a config; raises InvalidDocument when a sampling condition does not compile."""
        compiled = compile_config(config)
        return cls(
            compiled=compiled,
            events={(event.name, event.version): event for event in config.events},
            window=timedelta(milliseconds=config.check_interval_ms),
            key=key,
            lane=ExpressLane(compiled, key, for_store=False),
        )

    def with_key(self, key: PseudonymKey) -> Self:
        """The same rules under another key."""
        return msgspec.structs.replace(self, key=key, lane=ExpressLane(self.compiled, key, for_store=False))


class RuleSource(ABC):
    """Answers which rules hold for an event; may change its mind between two events, never within one."""

    @abstractmethod
    def rules_for(self, name: str, version: int | None) -> Rules | None:
        """Return the rules, or ``None`` while no config is known; raises UnknownEvent when it can tell already.

        Called for each event from any thread, so it must be quick and must not wait.
        """

    @abstractmethod
    def follow(self, when_ready: Callable[[], None]) -> None:
        """Call ``when_ready`` whenever rules become known that were not known before; at once when they are."""

    def has_rules(self) -> bool:
        """True when ``rules_for`` does not answer ``None``."""
        return True

    def ready(self, timeout: float) -> bool:  # noqa: ARG002  sources that wait for something use it
        """True as soon as rules are known; false when ``timeout`` seconds pass without."""
        return True

    def refresh(self) -> bool:
        """Look for newer rules now; true when those in use are known to be the newest."""
        return True

    def shutdown(self, timeout: float) -> bool:  # noqa: ARG002  sources with a thread use it
        """Look no further; the rules known last stay in use. True when all work ended within ``timeout`` seconds."""
        return True


class ConfigRules(RuleSource):
    """The rules of one effective config, for good."""

    def __init__(self, config: EffectiveConfig, *, key: PseudonymKey | None = None) -> None:
        """Raises InvalidDocument when a sampling condition does not compile."""
        self._rules = Rules.of(config, key=key)

    def rules_for(self, name: str, version: int | None) -> Rules:  # noqa: ARG002  one config holds for all
        """Return the rules of the config."""
        return self._rules

    def follow(self, when_ready: Callable[[], None]) -> None:
        """Call ``when_ready`` at once."""
        when_ready()


class RegistryRules(RuleSource):
    """The rules of registered specs, each resolved with no override; specs registered later count from then on."""

    def __init__(
        self,
        registry: TelemetryRegistry,
        *,
        installation: InstallationIdentity | None = None,
        key: PseudonymKey | None = None,
    ) -> None:
        """Raises InvalidDocument when a sampling condition of a spec that is registered now does not compile."""
        self._registry = registry
        self._installation = installation or LOCAL_INSTALLATION
        self._key = key
        self._known: dict[tuple[str, int], Rules] = {}
        for spec in registry.specs():
            self._rules_of(spec)

    def rules_for(self, name: str, version: int | None) -> Rules:
        """Return the rules of the spec that defines the event; raises UnknownEvent."""
        return self._rules_of(self._registry.spec_of(name, version))

    def follow(self, when_ready: Callable[[], None]) -> None:
        """Call ``when_ready`` at once."""
        when_ready()

    def _rules_of(self, spec: TelemetrySpec) -> Rules:
        identity = (spec.meta.name, spec.meta.version)
        if identity not in self._known:
            config = resolve_config(spec, installation=self._installation)
            self._known[identity] = Rules.of(config, key=self._key)
        return self._known[identity]
