"""The object with which an app tracks events."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Any, Literal, Self, TypedDict, Unpack
from uuid import UUID

from telemetry.core.anomaly import AnomalyMonitor
from telemetry.core.config import EffectiveConfig, InstallationIdentity
from telemetry.core.events import Accepted, Context, Outcome, PseudonymKey
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.unwritten import Unwritten
from telemetry.sdk.counts import OUTCOMES, OutcomeCounts, TrackerStats
from telemetry.sdk.disk_copy import DiskCopy
from telemetry.sdk.fanout import ProviderErrorCallback, ProviderFanout
from telemetry.sdk.following import ConfigStatus, StudioRules
from telemetry.sdk.hold import Held, HoldQueue
from telemetry.sdk.identifiers import new_event_id, utc_now
from telemetry.sdk.judging import Judge, OutcomeCallback, ViolationCallback
from telemetry.sdk.loop import BackgroundLoop
from telemetry.sdk.process import renew_in_children
from telemetry.sdk.provider import Provider
from telemetry.sdk.reporting import ReportWriter
from telemetry.sdk.rules import ConfigRules, RegistryRules, RuleSource
from telemetry.sdk.studio import MAXIMUM_CONFIG_BYTES, StudioClient

__all__ = ["ContextLike", "TelemetryTracker", "TrackerOptions"]

ContextLike = Context | Mapping[str, Any]


class TrackerOptions(TypedDict, total=False):
    """What every kind of tracker can be given; see ``TelemetryTracker``."""

    key: PseudonymKey | None
    clock: Callable[[], datetime]
    id_factory: Callable[[], str]
    on_outcome: OutcomeCallback | None
    on_violation: ViolationCallback | None
    on_provider_error: ProviderErrorCallback | None
    provider_timeout: float
    hold_capacity: int


class TelemetryTracker:
    """Judges events by their rules and hands what may be kept, redacted, to every provider.

    For each event, in this order: find its definition, validate, sample, redact; show the anomaly monitor the metrics
    from *before* sampling and redaction; hand over to the providers, one by one. ``track`` and ``atrack`` never raise
    on account of an event, a provider, a callback or the network: what goes wrong is in the outcome and the counts.
    Safe to call from any thread, and after a fork.
    """

    def __init__(
        self,
        registry: TelemetryRegistry | None = None,
        providers: Iterable[Provider] = (),
        anomaly_monitor: AnomalyMonitor | None = None,
        *,
        config: EffectiveConfig | None = None,
        rules: RuleSource | None = None,
        installation: InstallationIdentity | None = None,
        key: PseudonymKey | None = None,
        clock: Callable[[], datetime] = utc_now,
        id_factory: Callable[[], str] = new_event_id,
        on_outcome: OutcomeCallback | None = None,
        on_violation: ViolationCallback | None = None,
        on_provider_error: ProviderErrorCallback | None = None,
        provider_timeout: float = 10.0,
        hold_capacity: int = 1000,
    ) -> None:
        """Exactly one of ``registry``, ``config`` and ``rules`` says by what events are judged; else ValueError.

        With a registry, specs are resolved without any override, for ``installation`` (a fixed local one unless
        given). ``key`` makes pseudonyms of subject ids, which are left out without it. ``on_outcome(event_id,
        outcome)`` hears of each judged event, ``on_violation(event_name, violation)`` of each violation, and
        ``on_provider_error(provider_id, error_type_name)`` of each failed hand-over; what they raise is counted.
        ``provider_timeout`` (seconds) bounds a hand-over to an async provider; ``hold_capacity`` events wait for the
        first config. Raises InvalidDocument when a sampling condition does not compile.
        """
        self._rules = _rule_source(registry, config, rules, installation, key)
        self._on_provider_error = on_provider_error
        self._counts = OutcomeCounts()
        self._hold = HoldQueue(hold_capacity)
        self._loop = BackgroundLoop()
        self._fanout = ProviderFanout(
            providers, on_error=self._report_provider_error, loop=self._loop, timeout=provider_timeout
        )
        self._judge = Judge(
            self._rules,
            counts=self._counts,
            hold=self._hold,
            monitor=anomaly_monitor,
            reports=ReportWriter(self._fanout),
            on_outcome=on_outcome,
            on_violation=on_violation,
            clock=clock,
            id_factory=id_factory,
        )
        renew_in_children(self)
        self._rules.follow(self._replay)

    @classmethod
    def from_studio(
        cls,
        url: str,
        api_key: str,
        *,
        providers: Iterable[Provider] = (),
        anomaly_monitor: AnomalyMonitor | None = None,
        cache_path: str | os.PathLike[str] | None = None,
        follow: Literal["poll", "stream"] = "poll",
        poll_interval: float = 60.0,
        maximum_staleness: float | None = None,
        on_config_change: Callable[[ConfigStatus], None] | None = None,
        timeout: float = 10.0,
        **options: Unpack[TrackerOptions],
    ) -> Self:
        """Return a tracker that obeys the config a studio publishes for this key, and follows its changes.

        Returns at once: the config is fetched in the background, and events wait in memory until it is known.
        ``cache_path`` keeps the last good config for a start without the studio. With ``follow="stream"`` the studio
        tells of each change at once; the tracker polls besides. ``poll_interval`` and ``timeout`` (of one request) are
        in seconds, as is ``maximum_staleness``: events wait while the config has not been confirmed for that long.
        ``on_config_change`` hears of each config that comes into use. Raises InvalidDocument when the address is
        neither https nor loopback.
        """
        client = StudioClient(url, api_key, timeout=timeout)
        disk_copy = None
        if cache_path is not None:
            disk_copy = DiskCopy(cache_path, url=url, api_key=api_key, maximum_bytes=MAXIMUM_CONFIG_BYTES)
        rules = StudioRules(
            client,
            poll_interval=poll_interval,
            disk_copy=disk_copy,
            key=options.get("key"),
            follow=follow,
            maximum_staleness=maximum_staleness,
            on_change=on_config_change,
        )
        tracker = cls(providers=providers, anomaly_monitor=anomaly_monitor, rules=rules, **options)
        rules.start()
        return tracker

    def track(
        self,
        name: str,
        version: int | None = None,
        properties: Mapping[str, Any] | None = None,
        context: ContextLike | None = None,
        *,
        event_id: str | UUID | None = None,
        occurred_at: datetime | None = None,
    ) -> Outcome | Held:
        """Judge one event and hand it over; the outcome is true when it was kept.

        Without ``version``, the latest of the event holds. Plain providers are called before this returns, async ones
        in the background. ``event_id`` is a new UUIDv7 unless given; pass the same one when you track the same event
        again. ``occurred_at`` carries a zone. Do not change nested lists and mappings afterwards.
        """
        outcome = self._judge.receive(name, version, properties, context, event_id, occurred_at)
        # The usual class first, as asking for its base takes longer.
        if type(outcome) is Unwritten or isinstance(outcome, Accepted):
            self._fanout.send(outcome)
        return outcome

    async def atrack(
        self,
        name: str,
        version: int | None = None,
        properties: Mapping[str, Any] | None = None,
        context: ContextLike | None = None,
        *,
        event_id: str | UUID | None = None,
        occurred_at: datetime | None = None,
    ) -> Outcome | Held:
        """As ``track``, without blocking the running loop; returns once every provider has taken or refused the event.

        Plain providers that may wait are called in a thread; async ones run on the tracker's own loop.
        """
        outcome = self._judge.receive(name, version, properties, context, event_id, occurred_at)
        if isinstance(outcome, Accepted):
            await self._fanout.asend(outcome)
        return outcome

    def add_provider(self, provider: Provider) -> None:
        """Hand events to this provider too, from the next one on; raises Conflict when its id is taken."""
        self._fanout.add(provider)

    def remove_provider(self, provider_id: str) -> Provider:
        """Hand it no more events and return it, still running; raises NotFound when there is none with this id."""
        return self._fanout.remove(provider_id)

    def stats(self) -> TrackerStats:
        """Return what became of the events in this process so far."""
        counts = self._counts.read()
        outcomes = {name: counts[name] for name in OUTCOMES}
        return TrackerStats(
            **outcomes,
            received=sum(outcomes.values()),
            callback_errors=counts["callback_errors"],
            providers=self._fanout.stats(),
        )

    def ready(self, timeout: float = 10.0) -> bool:
        """True as soon as a config is known; false when ``timeout`` seconds pass without one."""
        return self._rules.ready(timeout)

    def refresh(self) -> bool:
        """Fetch the config now; true when the one in use is the newest. Waits for the network, raises nothing."""
        return self._rules.refresh()

    @property
    def config_status(self) -> ConfigStatus | None:
        """Where the config of a studio stands; ``None`` for a tracker without a studio."""
        return self._rules.status if isinstance(self._rules, StudioRules) else None

    def flush(self, timeout: float = 10.0) -> bool:
        """Deliver what providers have taken so far; true when all of it was settled within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        is_done = self._loop.flush(timeout)
        for provider in self._fanout.providers:
            is_done &= self._finish(provider, "flush", deadline)
        return is_done

    def close(self, timeout: float = 10.0) -> bool:
        """Stop polling, drop events that still wait for a config, deliver the rest and shut the providers down.

        True when everything was settled within ``timeout`` seconds. Calling it again is harmless.
        """
        deadline = time.monotonic() + timeout
        is_done = self._rules.shutdown(timeout)
        for _ in self._hold.close():
            self._counts.move("held", "hold_dropped")
        is_done &= self._loop.shutdown(max(0.0, deadline - time.monotonic()))
        for provider in self._fanout.providers:
            is_done &= self._finish(provider, "shutdown", deadline)
        self._fanout.close()
        return is_done

    def __enter__(self) -> Self:
        """Return the tracker, to be closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def renew_after_fork(self) -> None:
        """Count from zero and hold nothing in the child; what was there, the parent finishes."""
        self._counts.renew_after_fork()
        self._hold.renew_after_fork()
        self._judge.renew_after_fork()

    def _replay(self) -> None:
        for outcome in self._judge.judge_held():
            if isinstance(outcome, Accepted):
                self._fanout.send(outcome)

    def _report_provider_error(self, provider_id: str, kind: str) -> None:
        self._judge.call(self._on_provider_error, provider_id, kind)

    def _finish(self, provider: Provider, verb: str, deadline: float) -> bool:
        """Call the provider's own ``flush`` or ``shutdown`` with the time that is left; true when it has none."""
        method = getattr(provider, verb, None)
        if method is None:
            return True
        try:
            return method(max(0.0, deadline - time.monotonic())) is not False
        except Exception as error:  # noqa: BLE001  one provider must not keep the others from finishing
            self._report_provider_error(provider.id, type(error).__name__)
            return False


def _rule_source(
    registry: TelemetryRegistry | None,
    config: EffectiveConfig | None,
    rules: RuleSource | None,
    installation: InstallationIdentity | None,
    key: PseudonymKey | None,
) -> RuleSource:
    given = [source for source in (registry, config, rules) if source is not None]
    match given:
        case [RuleSource() as source]:
            return source
        case [EffectiveConfig() as source]:
            return ConfigRules(source, key=key)
        case [TelemetryRegistry() as source]:
            return RegistryRules(source, installation=installation, key=key)
    raise ValueError("give exactly one of registry, config and rules")
