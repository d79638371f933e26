"""The arguments of a function as fields of a form: what is left as it is keeps its value, whatever it looks like."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from textual.containers import Horizontal, Vertical

from quarterdeck.errors import UsageError
from quarterdeck.model import FunctionSpec, ParameterSpec
from quarterdeck.text import clean
from tui.widgets.lineinput import LIMIT, LineInput
from tui.widgets.textlines import TextLines

LABEL_CELLS: Final = 16


class FieldError(UsageError):
    """What was typed into a field can't be taken; `field` is the field's id."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


class _Kept(NamedTuple):
    """A value that a field began with; `whole`: its text can be edited on the line without losing any of it."""

    text: str
    value: Any
    whole: bool


class ArgumentFields(Vertical):
    """A field for each parameter, and one for whatever else there is."""

    def __init__(self) -> None:
        super().__init__(id="arguments")
        self._spec = FunctionSpec(name="")
        self._kept: dict[str, _Kept] = {}
        self._coming: dict[str, str] | None = None
        """What the fields will hold that are not there yet."""
        self._turn = asyncio.Lock()
        self._filling: asyncio.Task[None] | None = None

    async def show(self, spec: FunctionSpec, typed: Mapping[str, str], values: Mapping[str, Any]) -> None:
        """Make the fields of a function, filled in with what was typed for them, or with values to be edited.

        Whoever asks for it may be cancelled (the editor is opened again, the form is sent): half of the fields would
        be half of the arguments.
        """
        self._spec, self._kept = spec, {}
        rows, self._coming = self._rows(spec, typed, values)
        self._filling = asyncio.create_task(self._fill(rows, self._coming))
        await asyncio.shield(self._filling)

    async def _fill(self, rows: Sequence[Horizontal], coming: dict[str, str]) -> None:
        """Put the fields in the place of those before, unless others are to come by now."""
        async with self._turn:
            if self._coming is coming:
                await self.remove_children()
                await self.mount_all(rows)
            if self._coming is coming:
                self._coming = None

    def _rows(
        self, spec: FunctionSpec, typed: Mapping[str, str], values: Mapping[str, Any]
    ) -> tuple[list[Horizontal], dict[str, str]]:
        """The fields, and what each of them holds."""
        rows: list[Horizontal] = []
        held: dict[str, str] = {}

        def add(field: str, label: str, text: str, hint: str) -> None:
            rows.append(field_row(field, label, text, hint))
            held[field] = clean(text, LIMIT)

        for at, parameter in enumerate(spec.parameters):
            name, field = parameter.name, f"arg-{at}"
            text = typed.get(name, "")
            if name in values:
                text = self._keep(field, values[name], as_typed(values[name], parameter.type))
            add(field, name, text, _hint(parameter))
        known = {parameter.name for parameter in spec.parameters}
        more = {name: value for name, value in values.items() if name not in known}
        rest = more | {name: _json(text) for name, text in typed.items() if name not in known}
        if (spec.accepts_any or rest) and spec.name:  # a failed job may hold what its function no longer takes
            text = self._keep("more", rest, msgspec.json.encode(rest).decode()) if rest else ""
            add("more", "arguments" if not known else "more", text, '{"name": value} as JSON')
        return rows, held

    def _keep(self, field: str, value: Any, text: str) -> str:
        shown = clean(text, LIMIT)
        self._kept[field] = _Kept(shown, value, shown == text)
        return text

    def field_of(self, name: str) -> str:
        """The id of the field that an argument stands in."""
        return next((f"arg-{at}" for at, it in enumerate(self._spec.parameters) if it.name == name), "more")

    def arguments(self) -> dict[str, Any]:
        """What the fields hold; those left empty are left out. Raises FieldError for what can't be read."""
        from quarterdeck.operate.arguments import parse_value

        found: dict[str, Any] = {}
        for at, parameter in enumerate(self._spec.parameters):
            kept, typed = self._held(f"arg-{at}")
            if kept is not None:
                found[parameter.name] = kept.value
            elif typed:
                found[parameter.name] = parse_value(typed, parameter.type)
        kept, typed = self._held("more")
        return found | (kept.value if kept is not None else json_document(typed))

    def _held(self, field: str) -> tuple[_Kept | None, str]:
        """What a field began with, if it was left so, and what is typed in it."""
        if self._coming is not None:
            text = self._coming.get(field, "")
        else:
            text = next((it.value for it in self.query(f"#{field}").results(LineInput)), "")
        kept = self._kept.get(field)
        if kept is not None and text == kept.text:
            return kept, text
        if kept is not None and not kept.whole and text.strip():
            raise FieldError("That value is longer than a line: Ctrl-O opens it in your editor.", field)
        return None, text.strip()


def field_row(id_: str, label: str, value: str, hint: str) -> Horizontal:
    """A label and a line to be filled in."""
    text = TextLines([f"{clean(label, LABEL_CELLS):<{LABEL_CELLS}} "])
    return Horizontal(text, LineInput(value, hint, id=id_), classes="field")


def as_typed(value: object, type_word: str = "any") -> str:
    """A value as one would type it: text as it is, unless it would be read as something else."""
    from quarterdeck.operate.arguments import parse_value

    if isinstance(value, str) and parse_value(value, type_word) == value:
        return value
    return msgspec.json.encode(value).decode()


def json_document(text: str) -> dict[str, Any]:
    """A JSON object, or `name=value` words, as arguments. Raises FieldError."""
    if not text:
        return {}
    if not text.startswith("{"):
        try:
            pairs = [word.partition("=") for word in shlex.split(text)]
        except ValueError as error:
            raise FieldError(f"The arguments can't be read: {error}.", "more") from None
        if all(equals for _, equals, _ in pairs):
            return {name: _json(value) for name, _, value in pairs}
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise FieldError(f"This is no JSON: {error}", "more") from None
    if not isinstance(found, dict):
        raise FieldError('The arguments are a JSON object: {"name": value}.', "more")
    return found


def _hint(parameter: ParameterSpec) -> str:
    return (
        f"{parameter.type}, required" if parameter.required else f"{parameter.type}, {parameter.default or 'optional'}"
    )


def _json(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
