"""A tiny parent that gives the terminal back when the dashboard can't.

``guard()`` forks before anything heavy is imported. The child goes on and becomes the dashboard; the parent waits,
hands on signals, stops and continues with it, ends with its status, and, when the child died with the terminal in its
hands (SIGKILL, a crash of the interpreter, ``os._exit``), restores the terminal. Only the standard library's small
modules are imported here.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import sys
import termios
from typing import TYPE_CHECKING, Final

from tui.terminal.modes import CANCEL, LEAVE

if TYPE_CHECKING:
    from types import FrameType

FORWARDED: Final = (
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGTSTP,
)
"""Signals that reach the parent by its pid and mean the child. SIGWINCH and SIGCONT go to the whole process group."""

_UNGUARDED: Final = "QUARTERDECK_UNGUARDED"


class Bond:
    """What parent and child share: one byte of memory and a pipe."""

    def __init__(self) -> None:
        self._taken: Final = mmap.mmap(-1, 1)
        self.orphaned_fd, self._alive_fd = os.pipe()
        """Readable in the child when the parent is gone."""

    @property
    def taken(self) -> bool:
        """True while the child has the terminal in application mode."""
        return self._taken[0] == 1

    def take(self) -> None:
        """Child: the terminal is about to be switched to application mode."""
        self._taken[0] = 1

    def release(self) -> None:
        """Child: the terminal is as it was found."""
        self._taken[0] = 0

    def keep_child_end(self) -> None:
        """Child: close the end whose closing says that the parent died."""
        os.close(self._alive_fd)


_bond: Bond | None = None


def bond() -> Bond | None:
    """The bond to the guardian; None in a process that runs without one."""
    return _bond


def guard() -> None:
    """Fork; return in the child only. The parent leaves the process with the child's status.

    Does nothing when standard input or output is no terminal, when already guarded, or with
    ``QUARTERDECK_UNGUARDED`` set. A child that died by signal ``n`` makes the status 128 + ``n``.
    """
    global _bond  # noqa: PLW0603 - one process, one terminal, one guardian
    if _bond is not None or os.environ.get(_UNGUARDED) or not (os.isatty(0) and os.isatty(1)):
        return
    try:
        before = termios.tcgetattr(0)
    except termios.error:
        return
    sys.stdout.flush()
    sys.stderr.flush()
    shared = Bond()
    child = os.fork()
    if child == 0:
        _bond = shared
        shared.keep_child_end()
        return
    os._exit(_watch(child, shared, before))


def _watch(child: int, shared: Bond, before: list[object]) -> int:
    """Parent: until the child has ended; the status to end with."""

    def hand_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)

    for number in FORWARDED:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, hand_on)
    while True:
        _, status = os.waitpid(child, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            # The shell watches this process: stop as well, and wake the child when woken alone.
            os.kill(os.getpid(), signal.SIGSTOP)
            hand_on(signal.SIGCONT, None)
            continue
        if shared.taken:
            restore(1, before)
        return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def restore(fileno: int, before: list[object] | None) -> None:
    """Leave all modes and set the line discipline as it was; never blocks for long, never raises."""
    with contextlib.suppress(ValueError):  # outside the main thread
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(termios.error, OSError):
        # What the terminal has not read yet would be painted over the user's shell.
        termios.tcflush(fileno, termios.TCOFLUSH)
    _write(fileno, (CANCEL + LEAVE).encode())
    if before is not None and in_foreground(fileno):
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(fileno, termios.TCSANOW, before)  # type: ignore[arg-type]
            # Answers that were still under way must not be typed into the shell.
            termios.tcflush(fileno, termios.TCIFLUSH)


def _write(fileno: int, data: bytes) -> None:
    """Without waiting for a terminal that takes nothing: opened anew, so that the flag is ours alone."""
    with contextlib.suppress(OSError):
        own = os.open(os.ttyname(fileno), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            os.write(own, data)
        finally:
            os.close(own)
        return
    with contextlib.suppress(OSError):
        os.write(fileno, data)


def in_foreground(fileno: int) -> bool:
    """True unless another process group owns the terminal."""
    try:
        return os.tcgetpgrp(fileno) == os.getpgrp()
    except OSError:
        return True
