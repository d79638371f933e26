"""A terminal in a box for the tests and the benchmark of the terminal: a pty, a line with a speed, an emulator.

``Emulator`` is pyte with the corners filed off where real terminals (xterm, VTE, tmux) agree and pyte departs:

* a zero-width character that is no combining mark ends pyte's printing of the rest of the run; here it is ignored;
* overwriting one half of a wide glyph leaves pyte's other half standing; here it becomes a blank, as in terminals;
* erasing fills with the colours only, not with underline, strike or reverse, as in terminals;
* a wide glyph that does not fit the last column is a blank;
* widths are those of ``rich.cells`` (what Textual lays out by), not those of pyte's own copy of wcwidth;
* ``CSI < u`` prints a "u" in pyte; it is taken out of the stream before.

It compares what is seen: joined emoji count as their first glyph, because the driver sends only that.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import heapq
import itertools
import os
import re
import select
import signal
import struct
import termios
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pyte
import pyte.modes

from tui.terminal.glyphs import split

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 60.0
"""For what comes within a second on a quiet machine. Only a failure waits as long."""
QUESTION = re.compile(rb"\x1b\[6n|\x1b\[\?2026\$p")
UNSUPPORTED = re.compile(r"\x1b\[[<>=][0-9;]*u|\x1b\[\?[0-9;]*\$p|\x1b\[6n|\x1bP[^\x1b]*\x1b\\")


class Emulator(pyte.Screen):
    """A pyte screen that treats wide and zero-width characters as terminals do."""

    def draw(self, data: str) -> None:
        for glyph, width in split(data):
            if width == 0:
                self._mark(glyph)
                continue
            if self.cursor.x + width > self.columns:
                if pyte.modes.DECAWM in self.mode:
                    self.carriage_return()
                    self.linefeed()
                else:
                    self.cursor.x = self.columns - 1
                    self._put(" " if width == 2 else glyph, 1)
                    continue
            self._put(glyph, width)
        self.dirty.add(self.cursor.y)

    def _put(self, glyph: str, width: int) -> None:
        line, x = self.buffer[self.cursor.y], self.cursor.x
        if line[x].data == "" and x:
            line[x - 1] = line[x - 1]._replace(data=" ")
        if x + width < self.columns and line[x + width].data == "":
            line[x + width] = line[x + width]._replace(data=" ")
        line[x] = self.cursor.attrs._replace(data=glyph)
        if width == 2:
            line[x + 1] = self.cursor.attrs._replace(data="")
        self.cursor.x = min(x + width, self.columns)

    def _mark(self, mark: str) -> None:
        line, x = self.buffer[self.cursor.y], self.cursor.x - 1
        if x > 0 and line[x].data == "":
            x -= 1
        if x >= 0:
            line[x] = line[x]._replace(data=line[x].data + mark)

    def erase_characters(self, count: int | None = None) -> None:
        self._erase_from(self.cursor.x, self.cursor.x + (count or 1))

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        x = min(self.cursor.x, self.columns - 1)
        first, last = {0: (x, self.columns), 1: (0, x + 1), 2: (0, self.columns)}[how]
        self._erase_from(first, last)

    def _erase_from(self, first: int, last: int) -> None:
        line = self.buffer[self.cursor.y]
        if first and line[first].data == "":
            line[first - 1] = line[first - 1]._replace(data=" ")
        if last < self.columns and line[last].data == "":
            line[last] = line[last]._replace(data=" ")
        blank = self.cursor.attrs._replace(data=" ", underscore=False, strikethrough=False, reverse=False, blink=False)
        for x in range(first, min(last, self.columns)):
            line[x] = blank

    def cells(self) -> list[list[tuple[Any, ...]]]:
        """All cells: glyph, colours and attributes; what pyte does not model is not in them."""
        return [[tuple(self.buffer[y][x]) for x in range(self.columns)] for y in range(self.lines)]

    def seen(self) -> list[list[tuple[Any, ...]]]:
        """All cells as the eye has them: the colour and weight of a blank that nothing is drawn on are left out."""
        return [[as_seen(cell) for cell in row] for row in self.cells()]

    def text(self) -> str:
        """The characters of the screen, one line a row."""
        return "\n".join(
            "".join(self.buffer[y][x].data for x in range(self.columns)).rstrip() for y in range(self.lines)
        )


def as_seen(cell: tuple[Any, ...]) -> tuple[Any, ...]:
    """A cell of pyte's (glyph, colours, bold, italics, underscore, strikethrough, reverse, blink) as the eye has it."""
    if cell[0] != " " or any(cell[5:]):
        return cell
    return (" ", "default", cell[2], False, False, *cell[5:])


class Feed:
    """Bytes or text into an emulator, with what pyte can't read taken out."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._stream = pyte.Stream(emulator)
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""

    def __call__(self, data: bytes | str) -> None:
        text = self._rest + (data if isinstance(data, str) else self._decode(data))
        self._rest = ""
        if (cut := re.search(r"\x1b(?:\[[0-?]*[ -/]*)?\Z", text)) is not None:
            self._rest, text = text[cut.start() :], text[: cut.start()]
        self._stream.feed(UNSUPPORTED.sub("", text))


class Lab:
    """A command in a pty of its own session, seen through a line of limited speed.

    ``bytes_per_s`` limits what comes out, ``rtt_s`` is added between both ends. Times of ``log`` are
    ``time.monotonic()`` when the terminal got the bytes.
    """

    def __init__(
        self,
        command: list[str],
        *,
        size: tuple[int, int] = (80, 24),
        bytes_per_s: float | None = None,
        rtt_s: float = 0.0,
        answers: bool = True,
        environ: dict[str, str] | None = None,
        cwd: str | None = None,
    ) -> None:
        self.size = size
        self.bytes_per_s = bytes_per_s
        self.rtt_s = rtt_s
        self.answers = answers
        self.reading = True
        self.emulator = Emulator(*size)
        self.feed = Feed(self.emulator)
        self.log: list[tuple[float, bytes]] = []
        self.status: int | None = None
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._changed = threading.Condition(threading.RLock())
        self._watchers: list[Callable[[], None]] = []
        self._carry = b""
        self._behind: list[bytes] | None = None
        self._closing = False
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environ or {})}
        for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "COLUMNS", "LINES", "ESCDELAY"):
            if name not in (environ or {}):
                env.pop(name, None)
        self.started_at = time.monotonic()
        self.pid, self.master = _spawn(command, env, size, cwd)
        self.pipe = os.pipe()
        self._thread = threading.Thread(target=self._pump, daemon=True)
        self._thread.start()

    # --- the user -------------------------------------------------------------------------------------------

    def send(self, data: str | bytes) -> None:
        """Type; it arrives after half the round trip."""
        raw = data.encode() if isinstance(data, str) else data
        self._later(self.rtt_s / 2, lambda: self._write(raw))

    def send_split(self, *parts: str, pause_s: float) -> None:
        """Type one thing that arrives in parts. What the terminal says meanwhile comes after it, as on a line."""
        self._behind = []
        for number, part in enumerate(parts):
            time.sleep(pause_s if number else 0)
            with contextlib.suppress(OSError):
                os.write(self.master, part.encode())
        behind, self._behind = self._behind, None
        for data in behind:
            self._write(data)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the window."""
        with self._changed:
            self.size = (columns, rows)
            self.emulator.resize(rows, columns)
            self.emulator.reset_mode(7, private=True)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def wait(self, condition: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
        """Until ``condition()`` is true; looked at after each thing that arrives. Raises TimeoutError."""
        until = time.monotonic() + timeout_s
        with self._changed:
            while not (result := condition()):
                left = until - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"not seen within {timeout_s} s:\n{self.emulator.text()}")
                self._changed.wait(min(left, 0.25))
            return result

    def wait_text(self, text: str, timeout_s: float = WAIT_S) -> None:
        """Until ``text`` is on the screen."""
        self.wait(lambda: text in self.emulator.text(), timeout_s)

    def wait_exit(self, timeout_s: float = WAIT_S) -> int:
        """The status as a shell would see it: 128 + n for a signal."""
        until = time.monotonic() + timeout_s
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                code = os.waitstatus_to_exitcode(status)
                self.status = 128 - code if code < 0 else code
            elif time.monotonic() > until:
                raise TimeoutError(f"still running after {timeout_s} s:\n{self.emulator.text()}")
            else:
                time.sleep(0.002)
        return self.status

    def settle(self, quiet_s: float = 0.3, timeout_s: float = WAIT_S) -> None:
        """Until nothing has arrived for ``quiet_s``."""
        began = time.monotonic()
        while time.monotonic() < began + timeout_s:
            last = max(began, self.log[-1][0] if self.log else began)
            if time.monotonic() - last >= quiet_s:
                return
            time.sleep(quiet_s / 10)

    @property
    def received(self) -> bytes:
        """All that arrived."""
        return b"".join(data for _, data in list(self.log))

    def modes(self) -> list[Any]:
        """The line discipline as tcgetattr gives it."""
        return termios.tcgetattr(self.master)

    def close(self) -> None:
        """End the command and the pump."""
        if self.status is None:
            for pid in {self.pid, *children(self.pid)}:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.wait_exit()
        self._closing = True
        self._wake()
        self._thread.join()
        for fd in (self.master, *self.pipe):
            with contextlib.suppress(OSError):
                os.close(fd)

    def hang_up(self) -> None:
        """The terminal goes away."""
        self._closing = True
        self._wake()
        self._thread.join()
        os.close(self.master)
        self.master = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the line -------------------------------------------------------------------------------------------

    def _pump(self) -> None:
        allowance, last = 0.0, time.monotonic()
        while not self._closing:
            now = time.monotonic()
            self._run_due(now)
            chunk = 65536
            if self.bytes_per_s is not None:
                allowance = min(allowance + (now - last) * self.bytes_per_s, self.bytes_per_s * 0.02 + 1)
                chunk = int(allowance)
            last = now
            readers = [self.pipe[0]] + ([self.master] if self.reading and chunk >= 1 else [])
            ready, _, _ = select.select(readers, [], [], self._pause(now, starved=chunk < 1))
            if self.pipe[0] in ready:
                os.read(self.pipe[0], 4096)
            if self.master in ready:
                try:
                    data = os.read(self.master, chunk)
                except OSError:
                    time.sleep(0.005)
                    continue
                allowance -= len(data)
                self._later(self.rtt_s / 2, lambda data=data: self._arrive(data))
                if self.bytes_per_s is not None:
                    time.sleep(0.002)

    def _pause(self, now: float, *, starved: bool) -> float:
        pause = 0.005 if starved else 0.1
        with self._changed:
            if self._events:
                pause = min(pause, max(0.0, self._events[0][0] - now))
        return pause

    def _run_due(self, now: float) -> None:
        while True:
            with self._changed:
                if not self._events or self._events[0][0] > now:
                    return
                action = heapq.heappop(self._events)[2]
            action()

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._events, (time.monotonic() + delay_s, next(self._order), action))
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self.pipe[1], b"x")

    def _write(self, data: bytes) -> None:
        if self._behind is not None:
            self._behind.append(data)
            return
        with contextlib.suppress(OSError):
            os.write(self.master, data)

    def _arrive(self, data: bytes) -> None:
        with self._changed:
            self.log.append((time.monotonic(), data))
            self.feed(data)
            self._answer(data)
            self._changed.notify_all()

    def _answer(self, data: bytes) -> None:
        data = self._carry + data
        end = 0
        for question in QUESTION.finditer(data):
            end = question.end()
            if self.answers:
                y, x = self.emulator.cursor.y + 1, min(self.emulator.cursor.x + 1, self.size[0])
                reply = b"\x1b[%d;%dR" % (y, x) if question[0].endswith(b"n") else b"\x1b[?2026;2$y"
                self._later(self.rtt_s / 2, lambda reply=reply: self._write(reply))
        self._carry = data[max(end, len(data) - 8) :]


def _spawn(command: list[str], env: dict[str, str], size: tuple[int, int], cwd: str | None) -> tuple[int, int]:
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(slave, fd)
            os.closerange(3, 256)
            if cwd:
                os.chdir(cwd)
            os.execvpe(command[0], command, env)
        finally:
            os._exit(127)
    os.close(slave)
    return pid, master


def children(pid: int) -> list[int]:
    """Processes started by ``pid``, however deep."""
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found += [child, *children(child)]
    return found
