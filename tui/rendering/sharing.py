"""Sharing the lines of a screen among its panels."""

from __future__ import annotations

from collections.abc import Sequence


def share_lines(wanted: Sequence[int], room: int) -> tuple[int, ...]:
    """Return how many lines each panel gets: what it wants while there is room, and at least one each.

    Where there is too little, those that want most give first, so that three queues are never hidden by forty
    workers. What is left over goes to the last panel.
    """
    given = [min(1, want) for want in wanted]
    left = room - sum(given)
    while left > 0:
        hungry = [at for at, want in enumerate(wanted) if given[at] < want]
        if not hungry:
            break
        given[min(hungry, key=lambda at: given[at])] += 1
        left -= 1
    if left > 0:
        given[-1] += left
    return tuple(given)
