"""What broke, said the same way each time: failures with one cause get one signature.

A signature is the task's function, the exception's type, its message without what varies (numbers, ids, quoted values,
addresses, paths) and the innermost frame of the app's own code. The exception object and the text of its traceback
give the same signature, so that what a worker records and what is read from a stock job's `error` fall together.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from types import TracebackType
from typing import Final

import msgspec

from quarterdeck.text import mask_text

MESSAGE_LIMIT: Final = 160
"""Characters of the normalised message."""
_LOOKED_AT: Final = 1024
_TRACEBACK_TAIL: Final = 64 * 1024
_EPHEMERAL_PORT: Final = 32768


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What broke. `id` is 12 hex digits; `frame` is `file.py:88 in function`, or empty when no app code was on it."""

    id: str
    exception: str
    """Name of the exception's type without its module; empty when the error was no exception."""
    message: str
    """The normalised first line of the message, at most `MESSAGE_LIMIT` characters."""
    frame: str = ""


def signature_of(exc: BaseException, function: str) -> Signature:
    """The signature of an exception that ended a job of `function`; reads its traceback, formats nothing."""
    return _signature(function, type(exc).__name__, _message_of(exc), _frame_of(exc.__traceback__))


def signature_of_text(traceback_text: str, function: str) -> Signature:
    """The signature of an error as SAQ keeps it: a formatted traceback, or any text (`swept`, an abort's reason)."""
    text = traceback_text[-_TRACEBACK_TAIL:]
    # The last outermost traceback: of a chain what was raised last, of a group the group and not its members.
    start = max((found.start() for found in _HEADER.finditer(text)), default=-1)
    lines = [_GROUP_MARGIN.sub("", line) for line in text[max(start, 0) :].splitlines()]
    frame = ""
    for number, line in enumerate(lines):
        found = _FRAME.match(line)
        if found and not _is_library(found["file"]):
            frame = f"{_file_name(found['file'])}:{found['line']} in {found['function']}"
        elif line and start >= 0 and number and not line[0].isspace():
            return _signature(function, *_exception_line(line), frame)
    first = next((line for line in lines if line.strip()), "")
    return _signature(function, *(("", "") if start >= 0 else _exception_line(first)), frame)


def normalise(message: str, *, keep_names: bool = False) -> str:
    """The first line of `message` with placeholders for what varies, secrets masked, bounded.

    `keep_names` keeps quoted identifiers (`KeyError: 'tenant_id'`). Ports below 32768, HTTP statuses and errno stay:
    they say what was talked to and what it answered.
    """
    line = next((part for part in message[:_LOOKED_AT].splitlines() if part.strip()), "").strip()
    names = _names_kept if keep_names else _placeholder
    line = _VARYING.sub(names, mask_text(line))
    return line if len(line) <= MESSAGE_LIMIT else line[: MESSAGE_LIMIT - 1] + "…"


# Errors whose quoted part is a name in the code, not a value from the data.
_NAMING: Final = frozenset(
    {"KeyError", "AttributeError", "NameError", "UnboundLocalError", "ImportError", "ModuleNotFoundError", "TypeError"}
)
_IDENTIFIER: Final = re.compile(r"""["'][A-Za-z_][A-Za-z_.]{0,39}["']""")
_FRAME: Final = re.compile(r'\s{1,8}File "(?P<file>[^"]{1,1024})", line (?P<line>\d{1,9}), in (?P<function>.{1,200})')
_HEADER: Final = re.compile(r"^(?:  \+ Exception Group )?Traceback \(most recent call last\):", re.MULTILINE)
_GROUP_MARGIN: Final = re.compile(r"^  [|+] ")
_EXCEPTION: Final = re.compile(r"(?P<type>[A-Za-z_][\w.<>]{0,200})(?:: ?(?P<message>.*))?$")
_LINE_NUMBER: Final = re.compile(r":\d+ in ")
_LIBRARY: Final = re.compile(
    r"[/\\](?:site|dist)-packages[/\\]|[/\\][Ll]ib[/\\]python\d|[/\\]lib64[/\\]python\d|[/\\]Lib[/\\]"
    r"|^<(?!stdin|string|ipython)|[/\\]queue[/\\]quarterdeck[/\\]"
)
# One pass from the left; earlier alternatives win. Every repetition is over one class, so time is linear.
_VARYING: Final = re.compile(
    r"""
    (?P<kept>\[Errno\ -?\d{1,6}\] | \b(?:HTTP(?:/\d(?:\.\d)?)?|status|status_code|code|errno)[ ]?[=:]?[ ]?\d{1,5}\b)
    | (?P<url>\b[A-Za-z][A-Za-z0-9+.\-]{1,20}://[^\s'"<>)\]]{1,1000})
    | (?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)
    | (?P<peer>\(['"][^'"\s]{1,255}['"],\ ?\d{1,5}\))
    | (?P<quoted>(?<!\w)'(?:[^'\\]|\\.){0,1000}'(?!\w) | "(?:[^"\\]|\\.){0,1000}")
    | (?P<time>\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?)
    | (?P<host>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{1,5})?\b)
    | (?P<port>(?<=[A-Za-z\]]):\d{1,5}\b)
    | (?P<mail>\b[\w.+\-]{1,64}@[\w.\-]{1,255})
    | (?P<path>(?<![\w/])(?:[A-Za-z]:)?[/\\][\w.\-@+]{1,255}(?:[/\\][\w.\-@+]{0,255}){1,64})
    | (?P<hex>\b0x[0-9a-fA-F]{1,64}\b | \b(?=[a-fA-F]{0,64}\d)[0-9a-fA-F]{8,256}\b)
    | (?P<id>\b(?=[A-Za-z_\-]{0,64}\d)[A-Za-z]{1,32}[_\-][\w\-]{1,200}\b)
    | (?P<number>(?<![A-Za-z])-?\d[\d_]*(?:[.,]\d+)*(?:[eE][+-]?\d{1,4})?)
    """,
    re.VERBOSE,
)


def _placeholder(match: re.Match[str]) -> str:
    """What stands for one varying part."""
    kind, text = match.lastgroup or "", match[0]
    if kind == "kept":
        return text
    if kind == "peer":
        return f"(<host>{_port(text.rpartition(',')[2].strip(' )'))})"
    if kind in {"host", "port"}:
        host, colon, port = text.partition(":")
        return ("<host>" if host else "") + (_port(port) if colon else "")
    if kind == "url":
        return _url(text)
    return {"quoted": "'…'", "mail": "<address>"}.get(kind, f"<{kind}>")


def _names_kept(match: re.Match[str]) -> str:
    """As `_placeholder`, but a quoted identifier stays."""
    if match.lastgroup == "quoted" and _IDENTIFIER.fullmatch(match[0]):
        return match[0]
    return _placeholder(match)


def _port(digits: str) -> str:
    """`:5432`; a port that the system picked says nothing and is left out."""
    return f":{digits}" if int(digits) < _EPHEMERAL_PORT else ""


def _url(url: str) -> str:
    """Scheme and host of a URL: whom it talked to is the cause, what it asked for varies."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2]
    name, _, port = host.partition(":")
    if re.fullmatch(r"[\d.]+|\[.*", name):
        name = "<host>"
    return f"{scheme}://{name}{_port(port) if port.isdigit() else ''}/…"


def _message_of(exc: BaseException) -> str:
    """The message; an exception whose own `__str__` raises must not break the recording of its failure."""
    try:
        return str(exc)
    except Exception:  # noqa: BLE001 - foreign code: any error there means that there is no message
        return ""


def _frame_of(trace: TracebackType | None) -> str:
    """The innermost frame of the app's own code."""
    frame = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not _is_library(code.co_filename):
            frame = f"{_file_name(code.co_filename)}:{trace.tb_lineno} in {code.co_name}"
        trace = trace.tb_next
    return frame


@lru_cache(maxsize=1024)
def _is_library(path: str) -> bool:
    """Whether a file is not the app's own: the standard library, an installed package, SAQ or this package."""
    return _LIBRARY.search(path) is not None


def _file_name(path: str) -> str:
    """The last part of a path of either system."""
    return path.replace("\\", "/").rpartition("/")[2]


def _exception_line(line: str) -> tuple[str, str]:
    """Type and message of a traceback's last line; any other text is a message without a type."""
    found = _EXCEPTION.match(line)
    if not found:
        return "", line
    kind, message = found["type"], found["message"]
    if message is None and kind.islower():
        return "", line  # `swept`, `cancelled`: words, not types
    return kind.rpartition(".")[2], message or ""


def _signature(function: str, exception: str, message: str, frame: str) -> Signature:
    """Put together; the line number is shown but not hashed, so that a deploy does not split a group."""
    exception = exception[:80]
    message = normalise(message, keep_names=exception in _NAMING)
    place = _LINE_NUMBER.sub(" in ", frame)
    identity = f"{function}\0{exception}\0{message}\0{place}"
    digest = hashlib.blake2b(identity.encode("utf-8", "replace"), digest_size=6)
    return Signature(id=digest.hexdigest(), exception=exception, message=message, frame=frame[:200])
