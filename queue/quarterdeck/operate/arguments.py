"""Arguments against a function's signature: checked before anything is sent."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from quarterdeck.errors import UsageError
from quarterdeck.model import FunctionSpec, ParameterSpec

_CHECKS: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "str": (str,),
    "bool": (bool,),
    "list": (list, tuple),
    "dict": (dict,),
}


class ArgumentFault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one argument; `name` is the parameter's."""

    name: str
    text: str


def fits(value: Any, type_word: str) -> bool:
    """Whether a JSON value fits a parameter's type word; unknown words fit everything."""
    expected = _CHECKS.get(type_word)
    if expected is None or value is None:
        return True
    if isinstance(value, bool) and type_word != "bool":
        return False
    return isinstance(value, expected)


def faults_of(spec: FunctionSpec, arguments: Mapping[str, Any]) -> tuple[ArgumentFault, ...]:
    """Everything that is wrong with `arguments` for the function `spec`, in the order of its parameters."""
    if spec.accepts_any and not spec.parameters:
        return ()
    known = {parameter.name: parameter for parameter in spec.parameters}
    faults = [
        _missing(parameter) for parameter in spec.parameters if parameter.required and parameter.name not in arguments
    ]
    for name, value in arguments.items():
        parameter = known.get(name)
        if parameter is None:
            if not spec.accepts_any:
                faults.append(_unknown(name, known))
        elif not fits(value, parameter.type):
            text = f"'{name}' takes {parameter.type}, not {_word(value)}."
            faults.append(ArgumentFault(name=name, text=text))
    return tuple(faults)


def check(spec: FunctionSpec, arguments: Mapping[str, Any]) -> None:
    """Raise UsageError that names every fault and the function's signature, unless `arguments` fit."""
    faults = faults_of(spec, arguments)
    if faults:
        raise UsageError(
            f"The arguments do not fit {signature_text(spec)}: {' '.join(fault.text for fault in faults)}",
            "Nothing was sent.",
        )


def parse_value(text: str, type_word: str = "any") -> Any:
    """What a person typed, as a JSON value: for a `str` parameter the text itself, else JSON where it is JSON."""
    if type_word == "str" and not (len(text) > 1 and text[0] == text[-1] == '"'):
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
        return words.get(text.lower(), text) if type_word == "bool" else text


def parse_pairs(spec: FunctionSpec | None, pairs: Iterable[str]) -> dict[str, Any]:
    """The arguments in `name=value` texts, each value read by its parameter's type. Raises UsageError."""
    types = {parameter.name: parameter.type for parameter in spec.parameters} if spec else {}
    arguments: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"'{pair}' is not an argument.", "Write name=value, for instance count=3.")
        arguments[name] = parse_value(value, types.get(name, "any"))
    return arguments


def signature_text(spec: FunctionSpec) -> str:
    """The function as one would write it: `send(to: str, count: int = 3)`."""
    parts = [f"{p.name}: {p.type}" + ("" if p.required else f" = {p.default or '…'}") for p in spec.parameters]
    if spec.accepts_any:
        parts.append("**more")
    return f"{spec.name}({', '.join(parts)})"


def nearest(name: str, names: Iterable[str]) -> str:
    """A sentence that names what is nearest to `name`, or an empty string."""
    found = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean '{found[0]}'?" if found else ""


def _missing(parameter: ParameterSpec) -> ArgumentFault:
    return ArgumentFault(name=parameter.name, text=f"'{parameter.name}' ({parameter.type}) is missing.")


def _unknown(name: str, known: Mapping[str, ParameterSpec]) -> ArgumentFault:
    return ArgumentFault(name=name, text=f"There is no '{name}'. {nearest(name, known)}".strip())


def _word(value: Any) -> str:
    names = {bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict"}
    return f"{names.get(type(value), type(value).__name__)} ({str(value)[:40]})"
