"""The fewest bytes that bring one screen to another, row by row and from left to right, computed from the two alone.

Counted are the changed cells in UTF-8, blanks to the end of a row as one erase, the shortest way from each run of
changed cells to the next (a jump, or rewriting the gap), and the SGR parameters that differ from one written cell to
the next. Of a blank that nothing is drawn on only the background counts. It shares no code with the encoder (which
paints style by style where that is shorter still); its colours are those pyte reports.
"""

from __future__ import annotations

from typing import Any

from terminal_lab import as_seen

Cell = tuple[Any, ...]
"""pyte's: glyph, foreground, background, bold, italics, underscore, strikethrough, reverse, blink."""

ERASE = 3
JUMP = 3
NAMED = 2


def floor_bytes(before: list[list[Cell]], after: list[list[Cell]]) -> int:
    """Bytes from ``before`` to ``after``; 0 when they are equal."""
    total = 0
    here: tuple[int, int] | None = None
    style: tuple[Any, ...] | None = None
    for y, (old, new) in enumerate(zip(before, after, strict=True)):
        if old == new:
            continue
        tail = _blank_tail(new)
        x = 0
        while x < len(new):
            if as_seen(old[x]) == as_seen(new[x]):
                x += 1
                continue
            total += _way(here, (y, x), new)
            # The style of the first cell may be the one the terminal writes in already.
            will = new[x][1:]
            if _plain(new[x]) and style is not None and not any(style[4:]):
                will = (style[0], will[1], *style[2:])  # a blank is written in whatever colour there is
            total += _sgr(style, will) if style is not None else 0
            style = will
            if x >= tail and sum(old[at] != new[at] for at in range(x, len(new))) > ERASE:
                total += ERASE
                here, x = (y, x), len(new)
                continue
            total += len(new[x][0].encode())
            x += 1
            here = (y, x) if x < len(new) else None
    return total


def _plain(cell: Cell) -> bool:
    """A blank that nothing is drawn on."""
    return bool(cell[0] == " " and not any(cell[5:]))


def _blank_tail(row: list[Cell]) -> int:
    at = len(row)
    while at and _plain(row[at - 1]) and row[at - 1][2] == row[-1][2]:
        at -= 1
    return at


def _way(here: tuple[int, int] | None, there: tuple[int, int], row: list[Cell]) -> int:
    y, x = there
    absolute = 3 + (len(str(y + 1)) + (1 + len(str(x + 1)) if x else 0))
    if here is None:
        # The cursor may stand anywhere, so the shortest jump there is.
        return min(absolute, JUMP)
    down, right = y - here[0], x - here[1]
    if down == 0 and 0 < right <= JUMP and all(cell[1:] == row[x][1:] for cell in row[here[1] : x]):
        rewrite = sum(len(cell[0].encode()) for cell in row[here[1] : x])
    else:
        rewrite = absolute
    vertical = min(down, _jump(down)) if down > 0 else _jump(down)  # a line feed is a byte a row
    return min(absolute, rewrite, vertical + _sideways(right), vertical + 1 + _jump(x))


def _sideways(right: int) -> int:
    return _jump(right) if right >= 0 else min(-right, _jump(right))


def _jump(distance: int) -> int:
    return 0 if distance == 0 else JUMP if abs(distance) == 1 else JUMP + len(str(abs(distance)))


def _sgr(old: tuple[Any, ...], new: tuple[Any, ...]) -> int:
    if old == new:
        return 0
    base: tuple[Any, ...] = ("default", "default", False, False, False, False, False, False)
    return min(3 + _parameters(base, new), 2 + _parameters(old, new))


def _parameters(old: tuple[Any, ...], new: tuple[Any, ...]) -> int:
    count = 0
    for index, (was, will) in enumerate(zip(old, new, strict=True)):
        if was == will:
            continue
        if index < 2:
            count += 1 + _colour(will)
        else:
            count += 2 if will else 3
    return count


def _colour(name: str) -> int:
    """Length of a colour's parameters: ``38;2;r;g;b`` for pyte's six hex digits, a number for its names."""
    try:
        levels = [int(name[at : at + 2], 16) for at in (0, 2, 4)]
    except ValueError:
        return NAMED
    return len("38;2;") + len(";".join(map(str, levels)))
