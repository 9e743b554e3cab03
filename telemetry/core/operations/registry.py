"""Running operations by their contract."""

import inspect
from collections.abc import Awaitable, Callable
from types import NoneType
from typing import Any, TypeVar

import msgspec

from telemetry.core.errors import (
    Conflict,
    DuplicateOperation,
    FieldError,
    InvalidDocument,
    NotAllowed,
    UnknownOperation,
)
from telemetry.core.event_specs import EventSpec
from telemetry.core.operations.context import Emitted, OperationContext
from telemetry.core.operations.payloads import check_payload
from telemetry.core.operations.specs import Access, ContractSpec, Run
from telemetry.core.operations.tracking import atrack_run, track_run
from telemetry.core.validation import read_value

__all__ = ["SpecRegistry"]

In = TypeVar("In")
Out = TypeVar("Out")
Handler = Callable[[In, OperationContext], Out | Awaitable[Out]]


class SpecRegistry:
    """Operations by name and version, with the functions that do them, and the EventSpecs of what they emit.

    ``clock`` counts seconds, such as ``time.perf_counter``; without it, runs have no duration. Not safe for registering
    from several threads at once; running is, at any time.
    """

    def __init__(self, *, clock: Callable[[], float] | None = None) -> None:
        self._operations: dict[tuple[str, int], tuple[ContractSpec[Any, Any], Handler[Any, Any]]] = {}
        self._latest: dict[str, int] = {}
        self._events: dict[tuple[str, int], EventSpec] = {}
        self._clock = clock

    def register(self, spec: ContractSpec[In, Out], handler: Handler[In, Out]) -> None:
        """The operation can be run. ``DuplicateOperation`` when its name and version are registered."""
        name, version = spec.identity
        if spec.identity in self._operations:
            raise DuplicateOperation(f"version {version} of the operation {name} is registered already")
        self._operations[spec.identity] = spec, handler
        self._latest[name] = max(version, self._latest.get(name, version))

    def operation(self, spec: ContractSpec[In, Out]) -> Callable[[Handler[In, Out]], Handler[In, Out]]:
        """A decorator that registers the function under the contract, and returns it as it is."""

        def decorate(handler: Handler[In, Out]) -> Handler[In, Out]:
            self.register(spec, handler)
            return handler

        return decorate

    def add_event(self, contract: EventSpec) -> None:
        """Payloads of this event are checked when an operation emits it; the last one added for a version counts."""
        self._events[contract.identity] = contract

    def get(self, name: str, version: int | None = None) -> ContractSpec[Any, Any]:
        """The contract in this version, by default the highest one; ``UnknownOperation`` when none is registered."""
        return self._find(name, version)[0]

    def operations(self) -> tuple[ContractSpec[Any, Any], ...]:
        """All contracts, in the order in which they were registered."""
        return tuple(spec for spec, _ in self._operations.values())

    def execute(self, name: str, version: int | None, given: object, context: OperationContext) -> Any:
        """What the operation answers: a value of the contract's output.

        ``given`` is plain data or a value of the contract's input. Raises ``UnknownOperation``; ``NotAllowed`` by the
        policy; ``InvalidDocument`` for input, output or an emitted payload that is not as the contract says; and
        whatever the handler raises. All but the first are tracked as failures. What tracking raises is not raised here.
        """
        spec, handler = self._find(name, version)
        if inspect.iscoroutinefunction(handler):
            raise Conflict(f"the operation {name} is asynchronous; run it with aexecute")
        run = _Running(spec, self._clock)
        try:
            value = run.read_input(given, context)
            answer = handler(value, self._inside(spec, context))
            run.read_output(answer)
        except Exception as error:
            track_run(spec.telemetry.failure, run.failed(error), context)
            raise
        track_run(spec.telemetry.success, run.succeeded(), context)
        return run.output

    async def aexecute(self, name: str, version: int | None, given: object, context: OperationContext) -> Any:
        """As ``execute``, for handlers of both kinds; a tracker that has ``atrack`` is awaited."""
        spec, handler = self._find(name, version)
        run = _Running(spec, self._clock)
        try:
            value = run.read_input(given, context)
            answer = handler(value, self._inside(spec, context))
            run.read_output(await answer if inspect.isawaitable(answer) else answer)
        except Exception as error:
            await atrack_run(spec.telemetry.failure, run.failed(error), context)
            raise
        await atrack_run(spec.telemetry.success, run.succeeded(), context)
        return run.output

    def _find(self, name: str, version: int | None) -> tuple[ContractSpec[Any, Any], Handler[Any, Any]]:
        exact = self._latest.get(name) if version is None else version
        found = None if exact is None else self._operations.get((name, exact))
        if found is None:
            shown = f"{name[:200]!r}" if version is None else f"{name[:200]!r} in version {version}"
            raise UnknownOperation(f"no operation {shown} is registered")
        return found

    def _inside(self, spec: ContractSpec[Any, Any], context: OperationContext) -> OperationContext:
        """The context of the handler, which may emit what the operation declares."""
        return msgspec.structs.replace(context, allowed=frozenset(spec.emits), check_payload=self._check_payload)

    def _check_payload(self, emitted: Emitted) -> None:
        contract = self._events.get((emitted.name, emitted.version))
        if contract is not None:
            check_payload(contract, emitted.payload)


class _Running:
    """One run on its way."""

    def __init__(self, spec: ContractSpec[Any, Any], clock: Callable[[], float] | None) -> None:
        self._spec = spec
        self._clock = clock
        self._started = clock() if clock is not None else 0.0
        self._input: Any = None
        self.output: Any = None

    def read_input(self, given: object, context: OperationContext) -> Any:
        """The value of the contract's input, for somebody who may run the operation."""
        _refuse_strangers(self._spec, context)
        self._input = _value_of(given, self._spec.io.input, f"input of the operation {self._spec.meta.name}")
        return self._input

    def read_output(self, answer: object) -> None:
        """Remember the value of the contract's output."""
        self.output = _value_of(answer, self._spec.io.output, f"output of the operation {self._spec.meta.name}")

    def succeeded(self) -> Run[Any, Any]:
        """The run, as it ended well."""
        return Run(operation=self._spec.meta, input=self._input, output=self.output, duration_ms=self._duration_ms())

    def failed(self, error: Exception) -> Run[Any, Any]:
        """The run, as it failed."""
        return Run(operation=self._spec.meta, input=self._input, error=error, duration_ms=self._duration_ms())

    def _duration_ms(self) -> float | None:
        return None if self._clock is None else (self._clock() - self._started) * 1000


def _refuse_strangers(spec: ContractSpec[Any, Any], context: OperationContext) -> None:
    access = spec.policy.access
    if access is Access.ADMIN and not context.is_admin:
        raise NotAllowed(f"the operation {spec.meta.name} is for administrators", ability=spec.meta.name)
    if access is Access.USER and not (context.user_id or context.actor or context.is_admin):
        raise NotAllowed(f"the operation {spec.meta.name} is for people who are known", ability=spec.meta.name)


def _value_of(value: object, type_: type[Any], what: str) -> Any:
    """The value as one of the type, checked also where it is one already: types do not check what code makes."""
    try:
        plain = msgspec.to_builtins(value)
    except (TypeError, ValueError, NotImplementedError, RecursionError):
        raise InvalidDocument(
            [FieldError("wrong_type", "", "is made of what no document can hold")], what=what
        ) from None
    if type_ is NoneType:
        if plain is not None:
            raise InvalidDocument([FieldError("wrong_type", "", "must be nothing")], what=what)
        return None
    found, errors = read_value(plain, type_)
    if errors:
        raise InvalidDocument(errors, what=what)
    return found
