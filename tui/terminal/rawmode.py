"""The line discipline while the terminal is ours: keys as they are pressed, and what is written goes out as it is."""

from __future__ import annotations

import contextlib
import os
import termios
import tty
from typing import Any, Final

from tui.terminal import guardian


def raw(attributes: list[Any]) -> list[Any]:
    """As Textual sets it (no echo, no lines, no signals, no flow control, Enter as it comes), and nothing added to
    what is written.
    """
    signals = 0 if os.environ.get("TEXTUAL_ALLOW_SIGNALS") else termios.ISIG
    changed = [*attributes]
    changed[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | signals)
    changed[tty.IFLAG] &= ~(termios.IXON | termios.IXOFF | termios.ICRNL | termios.INLCR | termios.IGNCR)
    changed[tty.OFLAG] &= ~termios.OPOST
    changed[tty.CC] = [*changed[tty.CC]]
    changed[tty.CC][termios.VMIN] = 1
    return changed


class RawMode:
    """Raw mode of the terminal read at `in_fd` and written to at `out_fd`. A terminal that is gone is let be."""

    def __init__(self, in_fd: int, out_fd: int) -> None:
        self._in_fd: Final = in_fd
        self._out_fd: Final = out_fd
        self._before: list[Any] | None = None

    def enter(self, before: list[Any] | None = None) -> bool:
        """Set it; what `leave` restores is what is found, or `before` where that was changed already.

        True where a line feed then goes straight down: a byte where a move takes three.
        """
        with contextlib.suppress(termios.error):
            found = termios.tcgetattr(self._in_fd)
            self._before = found if before is None else before
            termios.tcsetattr(self._in_fd, termios.TCSANOW, raw(found))
            return not termios.tcgetattr(self._out_fd)[tty.OFLAG] & termios.OPOST
        return False

    def again(self) -> None:
        """Set it once more: somebody else has changed it meanwhile."""
        with contextlib.suppress(termios.error):
            termios.tcsetattr(self._in_fd, termios.TCSANOW, raw(termios.tcgetattr(self._in_fd)))

    def leave(self) -> None:
        """Restore what was found, unless another job has the terminal now. May be called again."""
        if self._before is not None and guardian.in_foreground(self._in_fd):
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._in_fd, termios.TCSANOW, self._before)
