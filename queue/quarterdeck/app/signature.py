"""What a function takes: arguments are checked before they are sent, and come back as what the function's hints say.

A job's arguments travel as JSON by name. `Signature.bind` turns a call into that JSON, `Signature.arrange` turns it
back into a call. Values whose hints msgspec understands (dates, UUIDs, enums, dataclasses, structs, sets, paths, ...)
make the round trip; values without a hint travel as plain JSON.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import PurePath
from typing import Any

import msgspec

from quarterdeck.app.dependency import Dependency
from quarterdeck.errors import ArgumentError, UsageError
from quarterdeck.model import ParameterSpec

_WORDS: dict[Any, str] = {int: "int", str: "str", bool: "bool", float: "float", list: "list", dict: "dict"}
_SEQUENCES = (list, set, frozenset, tuple, Sequence)


class Signature:
    """The signature of a task's function.

    `skip` leaves out that many leading parameters (SAQ's functions take the context first). Raises UsageError for a
    function whose arguments can't travel by name (`*args`).
    """

    def __init__(self, name: str, function: Callable[..., Any], *, skip: int = 0) -> None:
        self.name = name
        self.function = function
        parameters = list(inspect.signature(function).parameters.values())[skip:]
        self.dependencies: dict[str, Dependency[Any]] = {
            each.name: each.default for each in parameters if isinstance(each.default, Dependency)
        }
        self.parameters = [each for each in parameters if each.name not in self.dependencies]
        self.accepts_any = any(each.kind is each.VAR_KEYWORD for each in self.parameters)
        if any(each.kind is each.VAR_POSITIONAL for each in self.parameters) and not skip:
            raise UsageError(
                f"The task {name} takes *args, but a job's arguments travel by name.",
                "Give it one parameter that is a list.",
            )
        self.named = [each for each in self.parameters if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
        self._signature = inspect.Signature(self.parameters)
        self._names = frozenset(each.name for each in self.named)
        self._required = frozenset(each.name for each in self.named if each.default is each.empty)
        self._positional = [each.name for each in self.parameters if each.kind is each.POSITIONAL_ONLY]

    @cached_property
    def hints(self) -> dict[str, Any]:
        """The resolved type of each parameter that has one, and of `return`."""
        function = inspect.unwrap(self.function)
        try:
            return typing.get_type_hints(function, include_extras=True)
        except (NameError, TypeError, AttributeError):  # a name that exists for the type checker alone
            raw = getattr(function, "__annotations__", {})
            return {name: hint for name, hint in raw.items() if not isinstance(hint, str)}

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any], *, partial: bool = False) -> dict[str, Any]:
        """The call's arguments by name, as JSON types; `partial` allows required ones to be missing.

        Raises ArgumentError, which names the function, the argument and what it takes.
        """
        try:
            bound = (self._signature.bind_partial if partial else self._signature.bind)(*args, **kwargs)
        except TypeError as error:
            raise ArgumentError(f"{self.name}(): {error}.", f"It takes {self.text()}.") from None
        named: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if self._signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                named.update({key: self._dump(key, extra) for key, extra in value.items()})
            else:
                named[name] = self._dump(name, value)
        return named

    def arrange(self, arguments: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The positional and keyword arguments of the call that a job's arguments ask for.

        Raises ArgumentError when they do not fit, as after a deploy that changed the function.
        """
        values = {name: self._load(name, value) for name, value in arguments.items()}
        positional = [values.pop(name) for name in self._positional if name in values] if self._positional else []
        if positional or not self._required <= values.keys() <= self._names:
            try:
                self._signature.bind(*positional, **values)
            except TypeError as error:
                raise ArgumentError(f"{self.name}(): {error}.", f"It takes {self.text()}.") from None
        return positional, values

    def result(self, value: Any) -> Any:
        """A result from JSON, as the return hint says; as it is when it does not fit."""
        hint = self.hints.get("return", Any)
        try:
            return convert(value, hint)
        except (msgspec.ValidationError, TypeError):
            return value

    def free(self, arguments: Mapping[str, Any]) -> str | None:
        """The first parameter that `arguments` leaves open, or None: where a chain puts the previous result."""
        return next((each.name for each in self.named if each.name not in arguments), None)

    def text(self) -> str:
        """The parameters as they are written, `(to: str, copies=1)`."""
        bare = [each.replace(annotation=_hint_text(each.annotation)) for each in self.parameters]
        return str(inspect.Signature(bare)).replace("'", "")

    def specs(self) -> tuple[ParameterSpec, ...]:
        """The parameters as workers register them."""
        return tuple(
            ParameterSpec(
                name=each.name,
                type=word(self.hints.get(each.name, Any)),
                required=each.default is each.empty,
                default=_default_text(each.default),
            )
            for each in self.named
        )

    def _dump(self, name: str, value: Any) -> Any:
        hint = self.hints.get(name, Any)
        try:
            plain = dump(value)
            if hint is not Any:
                convert(plain, hint)
        except msgspec.ValidationError as error:
            raise ArgumentError(f"{self.name}(): argument {name}: {error}.", f"It takes {self.text()}.") from None
        except (TypeError, RecursionError, ValueError) as error:
            raise ArgumentError(
                f"{self.name}(): argument {name} can't be sent: {error}.", "Jobs carry what JSON can hold."
            ) from None
        return plain

    def _load(self, name: str, value: Any) -> Any:
        hint = self.hints.get(name, Any)
        try:
            return value if hint is Any else convert(value, hint)
        except msgspec.ValidationError as error:
            raise ArgumentError(f"{self.name}(): argument {name}: {error}.", f"It takes {self.text()}.") from None


def dump(value: Any) -> Any:
    """A value as JSON types. Raises TypeError for what JSON can't hold."""
    if value is None or type(value) in (str, int, bool, float):
        return value
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_encode)


def convert(value: Any, hint: Any) -> Any:
    """A value of JSON types as `hint` says. Raises msgspec.ValidationError when it does not fit."""
    if type(value) is hint:
        return value
    try:
        return msgspec.convert(value, hint, str_keys=True, dec_hook=_decode)
    except TypeError:  # a hint that msgspec can't follow (a union of two dict-like types, a protocol)
        return value


def word(hint: Any) -> str:
    """One word for a type, as `ParameterSpec.type` has it: int, str, bool, float, list, dict, any, datetime, ..."""
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        rest = {word(each) for each in typing.get_args(hint) if each is not types.NoneType}
        return rest.pop() if len(rest) == 1 else "any"
    if origin is typing.Literal:
        kinds = {type(each) for each in typing.get_args(hint)}
        return _WORDS.get(kinds.pop(), "any") if len(kinds) == 1 else "any"
    kind = origin or hint
    if kind in _WORDS:
        return _WORDS[kind]
    if not isinstance(kind, type):
        return "any"
    return _word_of_class(kind)


def _word_of_class(kind: type) -> str:
    if issubclass(kind, enum.Enum | PurePath):
        return "str"
    if kind in _SEQUENCES:
        return "list"
    if issubclass(kind, Mapping) or hasattr(kind, "__struct_fields__") or hasattr(kind, "__dataclass_fields__"):
        return "dict"
    return "any" if kind is object else kind.__name__.lower()


def _encode(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")


def _decode(kind: type, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    return value


def _hint_text(annotation: Any) -> Any:
    return annotation if isinstance(annotation, str) or annotation is inspect.Parameter.empty else _name(annotation)


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _default_text(value: Any) -> str:
    if value is inspect.Parameter.empty:
        return ""
    try:
        return msgspec.json.encode(value, enc_hook=_encode).decode()
    except (TypeError, ValueError):
        return ""
