"""A detail as blocks: a title, and lines that can be folded away under it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import accumulate, pairwise
from typing import NamedTuple

from quarterdeck.text import cell_width
from tui.rendering.lines import Runs
from tui.rendering.moment import Moment
from tui.widgets.doclines import DocLine, section


class Block(NamedTuple):
    """A titled stretch of a detail; one without lines is not shown."""

    title: str
    lines: tuple[DocLine, ...]
    folded: bool = False


def block(title: str, lines: Iterable[Runs], folded: bool = False) -> Block:
    """A block of lines made of pieces."""
    return Block(title, tuple(doc_line(runs) for runs in lines), folded)


def doc_line(runs: Runs) -> DocLine:
    """Pieces as one line of a document, each in its style."""
    ends = list(accumulate((len(text) for text, _ in runs), initial=0))
    spans = tuple((low, high, style) for (low, high), (_, style) in zip(pairwise(ends), runs, strict=True) if style)
    return DocLine("".join(text for text, _ in runs), spans=spans)


def pairs(moment: Moment, *named: tuple[str, str] | tuple[str, str, str]) -> tuple[Runs, ...]:
    """`name  value` lines with the values aligned; those without a value are left out."""
    kept = [(item[0], moment.text(item[1], 1000), item[2] if len(item) == 3 else "") for item in named if item[1]]
    width = max((cell_width(name) for name, _, _ in kept), default=0)
    return tuple(((f"{name:<{width}}  ", "muted"), (value, style)) for name, value, style in kept)


def document_of(blocks: Iterable[Block]) -> list[DocLine]:
    """The blocks as lines of a document, each to be folded under its title."""
    lines: list[DocLine] = []
    for title, body, folded in blocks:
        if body:
            lines += section(title, list(body), folded)
    return lines
