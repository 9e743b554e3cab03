"""Asking question after question, with a way back.

The questions are a function that asks them in order. Whoever goes back, or changes an answer at the end, makes that
function run again from the start: answers that were given are given again without asking, as long as the question is
still asked and the answer still fits.
"""

from collections.abc import Callable
from typing import Any, Final, NoReturn, TypeVar

from rich.text import Text

from telemetry.cli.terminal import console, printable
from telemetry.cli.wizard.answers import NotAnAnswer, Question
from telemetry.core.errors import FieldError, InvalidDocument

__all__ = ["BACK", "CONFIRM", "Session", "Stopped"]

T = TypeVar("T")
BACK: Final = "<"
HELP: Final = "?"
# The last question, which is asked again after every change.
CONFIRM: Final = "confirm"


class Stopped(Exception):
    """Somebody ended the questions; nothing is written."""


class _Again(Exception):
    """The questions are to be asked once more; only those without an answer will be seen."""


class Session:
    """Answers by key, and the keys of the questions that were asked in this run, in their order."""

    def __init__(self, answers: dict[str, str], *, is_interactive: bool, read: Callable[[str], str] = input) -> None:
        self.answers = answers
        self.asked: list[Question[Any]] = []
        self.is_interactive = is_interactive
        self._read = read
        self._remembered: dict[str, str] = {}

    def run(self, script: Callable[["Session"], T]) -> T:
        """What the questions result in. Raises ``Stopped``, or ``InvalidDocument`` for a missing or wrong flag."""
        while True:
            self.asked = []
            try:
                return script(self)
            except _Again:
                self.answers.pop(CONFIRM, None)

    def change(self, key: str) -> NoReturn:
        """The question is asked again, and those after it whose answers no longer fit."""
        self.forget(key)
        raise _Again

    def _back(self) -> NoReturn:
        """The question before the one that is open is asked again; the first one has none before it."""
        self.change(self.asked[-2].key if len(self.asked) > 1 else self.asked[-1].key)

    def forget(self, key: str) -> None:
        """The question is asked again, with its answer as a suggestion."""
        if key in self.answers:
            self._remembered[key] = self.answers.pop(key)

    def ask(self, question: Question[T]) -> T:
        """The value of the answer."""
        self.asked.append(question)
        given = self.answers.get(question.key)
        if given is not None:
            try:
                return question.read(given)
            except NotAnAnswer as error:
                self._refuse(question, error)
        elif not self.is_interactive:
            return self._default(question)
        return self._ask(question)

    def ask_once(self, question: Question[T]) -> T:
        """The value of an answer that is not kept."""
        value = self.ask(question)
        self.answers.pop(question.key, None)
        return value

    def _refuse(self, question: Question[T], error: NotAnAnswer) -> None:
        """A stored answer does not fit: from a flag, that is an error; from before, it is asked for anew."""
        if not self.is_interactive:
            place = question.flag or question.key
            raise InvalidDocument([FieldError("bad_answer", place, str(error))], what="call") from None
        self.forget(question.key)

    def _default(self, question: Question[T]) -> T:
        if question.default is None:
            place = question.flag or question.key
            raise InvalidDocument([FieldError("missing_key", place, "is required without a terminal")], what="call")
        return question.read(question.default)

    def _ask(self, question: Question[T]) -> T:
        suggestion = self._remembered.get(question.key, question.default)
        while True:
            text = self._line(question, suggestion)
            if text == BACK:
                self._back()
            if text == HELP:
                self.say(question.help or "No more is known about it.")
                continue
            chosen = text or suggestion or ""
            # A dash leaves something out for which there is a suggestion.
            chosen = "" if chosen == "-" else chosen
            try:
                value = question.read(chosen)
            except NotAnAnswer as error:
                self.say(f"  {error}", style="red")
                continue
            self.answers[question.key] = chosen
            self._remembered.pop(question.key, None)
            return value

    def _line(self, question: Question[T], suggestion: str | None) -> str:
        words = f" ({question.words})" if question.words else ""
        shown = f" [{suggestion}]" if suggestion else ""
        try:
            return self._read(printable(f"{question.text}{words}{shown}: ")).strip()
        except EOFError:
            raise Stopped from None

    def say(self, text: str, *, style: str = "dim") -> None:
        """A line for people that is no question, once everything before it is answered."""
        console(is_error=True).print(Text(printable(text), style=style))

    def head(self, text: str, *keys: str) -> None:
        """A heading over questions, unless they are answered already."""
        if self.is_interactive and any(key not in self.answers for key in keys):
            self.say(f"\n{text}", style="bold")
