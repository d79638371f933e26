"""The form behind `e`: a function, its arguments, a queue."""

from __future__ import annotations

import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from quarterdeck.errors import QuarterdeckError, UsageError
from quarterdeck.model import FunctionSpec, Outcome
from tui.screens.argumentfields import LABEL_CELLS, ArgumentFields, FieldError, field_row
from tui.screens.asking import holding, span_s, wrong_span
from tui.screens.editor import NotJsonError, as_document, edit_text, from_document
from tui.screens.form import EditedForm
from tui.widgets.cell import Cell
from tui.widgets.dialog import Answer
from tui.widgets.lineinput import LineInput
from tui.widgets.textlines import TextLines

if TYPE_CHECKING:
    from tui.app import Deck

_OFFERED: Final = 5


class JobRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the form was filled in with; `arguments` fit the function's signature as far as it is known."""

    function: str
    queue: str
    arguments: dict[str, Any]
    delay_s: float = 0


Send = Callable[[JobRequest], Awaitable[Outcome]]


class JobForm(EditedForm):
    """Functions complete as one types; a field for each parameter, with its type and default.

    What does not fit is said at its field and nothing is sent. `send` is awaited with the request; when it raises, the
    form stays open with everything that was typed. Ctrl-O takes the arguments to the operator's own editor, as JSON;
    what comes back is checked here, and kept for the next round where it can't be read.
    """

    AUTO_FOCUS: ClassVar[str] = "#function"

    def __init__(
        self,
        title: str,
        specs: Sequence[FunctionSpec],
        queues: Sequence[str],
        send: Send,
        *,
        function: str = "",
        given: Mapping[str, str] | None = None,
        values: Mapping[str, Any] | None = None,
        queue: str = "",
        verb: str = "Enqueue",
        fixed: bool = False,
        editor: bool = False,
    ) -> None:
        super().__init__(title, (), (("send", verb),))
        self._specs = {spec.name: spec for spec in specs}
        self._queues = tuple(queues)
        self._enqueue = send
        self._start = (function, dict(given or {}), queue)
        self._values = dict(values or {})
        self._fixed = fixed
        self._editor = editor
        self._draft = ""
        self._shown: FunctionSpec | None = None

    def compose(self) -> ComposeResult:
        """The function and what it could be, its arguments, queue and delay, the answers."""
        function, _, queue = self._start
        with Vertical(id="card"):
            yield TextLines([Cell(self._asked, "strong"), ""], id="title")
            yield field_row("function", "function", function, "type to find one, Enter takes the first")
            yield TextLines(id="offers")
            yield ArgumentFields()
            if not self._fixed:
                yield field_row("queue", "queue", queue, "the function's own")
                yield field_row("delay", "delay", "", "now; or 30s, 5m, 2h")
            yield TextLines(id="wrong")
            with Horizontal(id="answers"):
                yield Answer("", "Cancel")
                yield Answer("send", self._verbs[0][1])
                yield TextLines([Cell("  Ctrl-O: as JSON in your editor", "muted")])

    def on_mount(self) -> None:
        """Show the arguments of a function that is known from the start."""
        super().on_mount()
        self.call_later(self._begin)

    async def _begin(self) -> None:
        function = self._start[0]
        self.query_one("#function", LineInput).disabled = self._fixed
        await self._show_arguments(function)
        self._offer(function)
        if function:
            first = next(iter(self.query("#arguments LineInput")), None)
            (first or self.query(Answer).last()).focus()
        if self._editor:
            self.action_editor()

    @on(LineInput.Changed, "#function")
    async def _on_function(self, event: LineInput.Changed) -> None:
        event.stop()
        self._offer(event.value)
        await self._show_arguments(event.value.strip())

    @on(LineInput.Submitted, "#function")
    async def _on_function_entered(self, event: LineInput.Submitted) -> None:
        """Take the first function that is offered, then go on with its first argument."""
        event.stop()
        event.prevent_default()
        name = event.value.strip()
        offered = self._matching(name)
        if name not in self._specs and offered:
            name = offered[0].name
            self.query_one("#function", LineInput).value = name
        await self._show_arguments(name)
        fields = list(self.query(LineInput))
        fields[1 if len(fields) > 1 else 0].focus()

    def _matching(self, typed: str) -> list[FunctionSpec]:
        word = typed.strip().lower()
        begins = [spec for name, spec in self._specs.items() if name.lower().startswith(word)]
        holds = [spec for name, spec in self._specs.items() if word in name.lower() and spec not in begins]
        return [*begins, *holds]

    def _offer(self, typed: str) -> None:
        """List the functions that match what is typed."""
        offers = self.query_one("#offers", TextLines)
        if self._fixed or typed.strip() in self._specs:
            spec = self._specs.get(typed.strip())
            offers.say(*([Cell(" " * (LABEL_CELLS + 1) + spec.doc[:50], "muted")] if spec and spec.doc else []))
            return
        found = self._matching(typed)
        indent = " " * (LABEL_CELLS + 1)
        lines = [Cell(runs=((indent + it.name, ""), (f"  {it.doc[:40]}", "muted"))) for it in found[:_OFFERED]]
        if len(found) > _OFFERED:
            lines.append(Cell(f"{indent}and {len(found) - _OFFERED} more", "muted"))
        if not found and typed.strip():
            lines.append(Cell(f"{indent}no live worker registers this function", "warn"))
        offers.say(*lines)

    async def _show_arguments(self, function: str) -> None:
        """A field for each parameter of the function."""
        spec = self._specs.get(function) or FunctionSpec(name=function, accepts_any=True)
        if spec == self._shown:
            return
        self._shown = spec
        await self._inputs.show(spec, self._start[1], self._values)

    @property
    def _inputs(self) -> ArgumentFields:
        return self.query_one(ArgumentFields)

    async def edit(self) -> None:
        """Hand them over as JSON and take back what was saved; what can't be read waits for the next round."""
        try:
            before = self._draft or as_document(self._inputs.arguments())
            saved = await edit_text(self.app, before, f"{_file_word(self._value('function'))}.json")
            found = from_document(saved) if saved.strip() else None
        except NotJsonError as error:
            self._draft = saved
            self.complain(f"{error} Ctrl-O goes on with it.")
        except QuarterdeckError as error:
            self.complain_of(error)
        else:
            self._draft = ""
            await self._take_back(found if saved != before else None)

    async def _take_back(self, found: dict[str, Any] | None) -> None:
        """Fill the fields with what came back from the editor (None: nothing new), and say what does not fit."""
        if found is None:
            self.complain("Nothing was changed.")
            return
        self._values = found
        if self._shown is not None:
            await self._inputs.show(self._shown, {}, found)
        try:
            self._request()
        except FieldError as error:
            self.complain_of(error)
        else:
            self.complain("")
            self.query(Answer).last().focus()

    async def send(self) -> Outcome:
        """Check what was filled in, and hand it on."""
        return await self._enqueue(self._request())

    def _request(self) -> JobRequest:
        """What was filled in. Raises FieldError at the first field that is wrong."""
        from quarterdeck.operate.arguments import faults_of, nearest

        name = self._value("function")
        if not name:
            raise FieldError("Name a function.", "function")
        spec = self._specs.get(name)
        if spec is None and self._specs and not any(it.accepts_any for it in self._specs.values()):
            raise FieldError(f"No live worker registers '{name}'. {nearest(name, self._specs)}".strip(), "function")
        spec = spec or FunctionSpec(name=name, accepts_any=True)
        if self._draft:
            raise FieldError("What was saved in the editor can't be read yet: Ctrl-O goes on with it.", "")
        arguments = self._inputs.arguments()
        faults = faults_of(spec, arguments)
        if faults:
            raise FieldError(faults[0].text, self._inputs.field_of(faults[0].name))
        delay = "" if self._fixed else self._value("delay")
        if delay and (wrong_span(delay) or span_s(delay) is None):
            raise FieldError("Write the delay as 30s, 5m or 2h.", "delay")
        return JobRequest(
            function=name, queue=self._queue(spec), arguments=arguments, delay_s=(span_s(delay) or 0) if delay else 0
        )

    def _queue(self, spec: FunctionSpec) -> str:
        """The queue that was named, or the only one that it can be."""
        if self._fixed:
            return self._start[2]
        named = self._value("queue")
        if named:
            return named
        choices = spec.queues or self._queues
        if len(choices) == 1 or (choices and spec.queues):
            return choices[0]
        known = f" There are {', '.join(choices[:5])}." if choices else ""
        raise FieldError(f"Name a queue.{known}", "queue")

    def _value(self, id_: str) -> str:
        return next((field.value.strip() for field in self.query(f"#{id_}").results(LineInput)), "")


def _file_word(function: str) -> str:
    """A function's name as that of a file: the editor shows it."""
    return "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "-" for sign in function)[:60]


async def enqueue(deck: Deck, words: str = "") -> None:
    """Open the form, filled in with `[FUNCTION] [@queue] [name=value ...]`."""
    try:
        parts = shlex.split(words)
    except ValueError as error:
        raise UsageError(f"The arguments can't be read: {error}.") from None
    queue = next((part[1:] for part in parts if part.startswith("@")), deck.deck_screen.asked.queue or "")
    given = dict(part.partition("=")[::2] for part in parts if "=" in part)
    function = next((part for part in parts if "=" not in part and not part.startswith("@")), "")

    async def send(request: JobRequest) -> Outcome:
        return await deck.perform(
            lambda it: it.enqueue(request.queue, request.function, request.arguments, delay_s=request.delay_s)
        )

    names = [it.name for it in deck.snapshot.queues] if deck.snapshot else []
    form = JobForm("Enqueue a job", deck.functions, names, send, function=function, given=given, queue=queue)
    with holding(deck):
        await deck.push_screen_wait(form)
