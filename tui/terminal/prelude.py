"""The terminal taken, and a first painting shown, before the screen is even loaded.

``show()`` does what the driver would do later, with what the last start has painted; the driver then takes over and
sends only what differs. What is typed meanwhile waits in the terminal's queue. If no driver ever comes, ``end()``
gives the terminal back; if the process is killed, the guardian does, and without a guardian nothing is shown.
"""

from __future__ import annotations

import os
import termios
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tui.terminal import guardian, modes
from tui.terminal.rawmode import raw

if TYPE_CHECKING:
    from tui.terminal.album import Painting

_MOST_BYTES: Final = 2048
"""More than a slow line may have under way is not shown early."""


class Shown(NamedTuple):
    """What the driver takes over."""

    before: list[Any]
    """The line discipline as it was found."""
    painting: Painting
    n_bytes: int
    """Sent, and not known to have arrived."""


_shown: Shown | None = None


def show(painting: Painting) -> bool:
    """Take the terminal and paint; False where that can't be done, or not safely, and nothing was done.

    The terminal is written to without waiting for it, so that one that takes nothing holds nothing up.
    """
    global _shown  # noqa: PLW0603 - one process, one terminal
    guard, data = guardian.bond(), (modes.ENTER.encode() + painting.data)
    if guard is None or len(data) > _MOST_BYTES or not guardian.in_foreground(0):
        return False
    try:
        before = termios.tcgetattr(0)
        out = os.open(os.ttyname(1), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except (termios.error, OSError):
        return False
    guard.take()
    try:
        termios.tcsetattr(0, termios.TCSANOW, raw(before))
        whole = os.write(out, data) == len(data)
    except (termios.error, OSError):
        whole = False
    finally:
        os.close(out)
    if whole:
        _shown = Shown(before, painting, len(data))
    else:
        guardian.restore(1, before)
        guard.release()
    return whole


def before() -> list[Any] | None:
    """The line discipline as it was found, if it was changed here and is still to be given back."""
    return None if _shown is None else _shown.before


def take_over() -> Shown | None:
    """Whoever calls this has the terminal from now on."""
    global _shown
    shown, _shown = _shown, None
    return shown


def end() -> None:
    """Give the terminal back if nobody has taken it over. May be called again."""
    shown, guard = take_over(), guardian.bond()
    if shown is not None:
        guardian.restore(1, shown.before)
        if guard is not None:
            guard.release()
