"""What a document is made of: lines with a depth, so that what is deeper can be folded away."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from quarterdeck.text import clean, clean_lines, mask, mask_text

TEXT_LIMIT: Final = 1_048_576
"""Characters of a text that are shown."""

_FRAME: Final = re.compile(r'^\s*File "([^"\n]{1,1024})", line (\d{1,9})(?:, in (.{1,256}))?$')
_LIBRARY: Final = re.compile(
    r"[/\\](?:site-packages|dist-packages|lib[/\\]python3[^/\\]*)[/\\]"
    r"|[/\\]queue[/\\]quarterdeck[/\\]|^<frozen |^<string>"
)
"""Whose frames are folded: those of packages, of Python, and of the engine in a checkout."""


class DocLine(msgspec.Struct, frozen=True, gc=False):
    """One line: clean text, the name of its style, how deep it stands, and whether what is deeper starts folded.

    `spans` are parts in a style of their own: (first character, the one after the last, style), in order.
    """

    text: str
    style: str = ""
    depth: int = 0
    folded: bool = False
    spans: tuple[tuple[int, int, str], ...] = ()


def cleaned(line: DocLine) -> DocLine:
    """The line with its text clean, whatever it was made of."""
    text = line.text
    if text.isascii() and text.isprintable():
        return line
    shown = clean(text, TEXT_LIMIT)
    # Where cleaning changed the length nobody knows any more which characters the spans meant.
    return msgspec.structs.replace(line, text=shown, spans=line.spans if len(shown) == len(text) else ())


def text_lines(text: str, style: str = "", depth: int = 0) -> list[DocLine]:
    """A text as it is, masked and clean."""
    lines = clean_lines(mask_text(text[:TEXT_LIMIT]), TEXT_LIMIT, TEXT_LIMIT)
    return [DocLine(line, style, depth) for line in lines]


def section(title: str, body: list[DocLine], folded: bool = False) -> list[DocLine]:
    """A title with its lines one deeper, to be folded under it."""
    head = DocLine(clean_lines(title)[0], "header", 0, folded)
    return [head, *(msgspec.structs.replace(line, depth=line.depth + 1) for line in body)]


def json_lines(value: Any, depth: int = 0) -> list[DocLine]:
    """A JSON-like value, its secrets masked, an item a line, containers to be folded at their first line."""
    masked = mask(value)
    try:
        lines = msgspec.json.format(json.dumps(masked, ensure_ascii=False), indent=2).split("\n")
    except (TypeError, ValueError, UnicodeError, RecursionError, msgspec.DecodeError):
        # Not JSON after all: NaN, a surrogate, a value of another kind. Slower, and shown as it is.
        lines = ["  " * level + text for level, text in _json(masked, 0)]
    indent = "  " * depth
    return [cleaned(DocLine(indent + line, "", depth + _indent(line) // 2)) for line in lines]


def _indent(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip(" "))


def _json(value: Any, depth: int, before: str = "", after: str = "") -> Iterator[tuple[int, str]]:
    """Depth and text of each line of a value; a closing bracket stands with what it closes."""
    if isinstance(value, dict) and value:
        yield depth, f"{before}{{"
        last = len(value) - 1
        for at, (key, item) in enumerate(value.items()):
            yield from _json(item, depth + 1, f"{_scalar(str(key))}: ", "" if at == last else ",")
        yield depth, f"}}{after}"
    elif isinstance(value, list) and value:
        yield depth, f"{before}["
        last = len(value) - 1
        for at, item in enumerate(value):
            yield from _json(item, depth + 1, "", "" if at == last else ",")
        yield depth, f"]{after}"
    else:
        yield depth, f"{before}{_scalar(value)}{after}"


def _scalar(value: Any) -> str:
    """One value in JSON; in Python's notation where it is none."""
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return repr(value)


def traceback_lines(text: str) -> list[DocLine]:
    """A Python traceback: what broke first, then the frames, those of libraries folded, the app's own open.

    A text that holds no frame is shown as it is.
    """
    lines = text_lines(text)
    if not any(_FRAME.match(line.text) for line in lines):
        return lines
    shown: list[DocLine] = []
    last = next((line for line in reversed(lines) if line.text.strip() and not line.text.startswith(" ")), None)
    if last is not None:
        shown.append(DocLine(last.text, "bad"))
    for frames, library in _grouped(lines):
        if library:
            count = sum(_FRAME.match(line.text) is not None for line in frames)
            shown.append(DocLine(f"  {count} library frame{'s' if count > 1 else ''}", "muted", 0, folded=True))
            shown += [DocLine(line.text, "muted", 1) for line in frames]
        else:
            shown += frames
    return shown


def _grouped(lines: list[DocLine]) -> Iterator[tuple[list[DocLine], bool]]:
    """Neighbouring lines that are all of library frames, or all of anything else."""
    group: list[DocLine] = []
    in_library = False
    for line in lines:
        frame = _FRAME.match(line.text)
        source_of_it = in_library and frame is None and line.text.startswith("    ")
        library = source_of_it or (frame is not None and _LIBRARY.search(frame[1]) is not None)
        if library != in_library and group:
            yield group, in_library
            group = []
        in_library = library
        group.append(line)
    if group:
        yield group, in_library
