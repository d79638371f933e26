"""An operator's seat: the real dashboard in a pty, keys in, screen out; and the processes beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from terminal_lab import WAIT_S, Lab, children

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
KEYS = {
    "enter": "\r",
    "esc": "\x1b",
    "tab": "\t",
    "backtab": "\x1b[Z",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "pgdn": "\x1b[6~",
    "pgup": "\x1b[5~",
    "space": " ",
    "ctrl-c": "\x03",
    "ctrl-d": "\x04",
    "ctrl-l": "\x0c",
    "ctrl-u": "\x15",
}


def surroundings(place: Path, **more: str) -> dict[str, str]:
    """The environment of all processes of a test: data and ledger in `place`, the app of the tests importable."""
    paths = [str(HERE), os.environ.get("PYTHONPATH", "")]
    return {
        "QUARTERDECK_DATA_DIR": str(place / "data"),
        "NIGHT_DIR": str(place),
        "HOME": str(place),
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "TZ": "UTC",
        **more,
    }


class Seat(Lab):
    """The dashboard as `python -m tui …`, seen by who sits before it."""

    def __init__(self, place: Path, *words: str, environ: dict[str, str] | None = None, **line: Any) -> None:
        self.place = place
        environ = surroundings(place, **(environ or {}))
        super().__init__([sys.executable, "-m", "tui", *words], environ=environ, cwd=str(ROOT), **line)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self.emulator.text()

    @property
    def top(self) -> str:
        """The line that says where one is."""
        return self.text.partition("\n")[0]

    def keys(self, *words: str) -> None:
        """Press keys by name; any other word is typed as it is. An escape is waited out, as a hand would."""
        for word in words:
            self.send(KEYS.get(word, word))
            if word == "esc":
                self.settle(0.12)

    def see(self, *texts: str, timeout_s: float = WAIT_S) -> None:
        """Wait until all of these are on the screen at once."""
        self.wait(lambda: all(text in self.text for text in texts), timeout_s)

    def see_re(self, pattern: str, timeout_s: float = WAIT_S) -> re.Match[str]:
        """Wait until the screen matches."""
        found: re.Match[str] = self.wait(lambda: re.search(pattern, self.text, re.MULTILINE), timeout_s)
        return found

    def lose(self, text: str, timeout_s: float = WAIT_S) -> None:
        """Wait until a text is gone."""
        self.wait(lambda: text not in self.text, timeout_s)

    def at(self, place: str, timeout_s: float = WAIT_S) -> None:
        """Wait until the top line names a place."""
        self.wait(lambda: place in self.top, timeout_s)

    def under_cursor(self, text: str, timeout_s: float = WAIT_S) -> None:
        """Wait until the cursor's row holds a text."""
        self.see_re(rf"^[▸>].*{re.escape(text)}", timeout_s)

    def quit(self) -> int:
        """Leave by Ctrl-C; the exit status."""
        self.keys("ctrl-c")
        return self.wait_exit()

    @property
    def painter(self) -> int:
        """The process that paints: the child of the guardian."""
        return next(iter(children(self.pid)), self.pid)


class Home:
    """What the embedded server's directory says of itself."""

    def __init__(self, place: Path) -> None:
        self.data = place / "data"

    def state(self) -> dict[str, Any]:
        """The pids and the URL of the running server; empty when none runs."""
        try:
            found: dict[str, Any] = json.loads((self.data / "state.json").read_text())
        except (OSError, ValueError):
            return {}
        return found

    def gone(self, timeout_s: float = WAIT_S) -> None:
        """Wait until server and worker have ended in order."""
        until(lambda: not self.state(), timeout_s)

    def end(self) -> None:
        """After a test: nothing of it may go on."""
        state = self.state()
        for name in ("supervisor_pid", "worker_pid", "server_pid"):
            if pid := int(state.get(name, 0)):
                kill(pid)


class Worker:
    """A worker process with a log; ends with the test."""

    def __init__(self, command: list[str], place: Path, **environ: str) -> None:
        self.log = place / "worker.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **surroundings(place, **environ)},
                cwd=ROOT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in (*children(self.process.pid), self.process.pid):
            kill(pid)
        self.process.wait()


def deck_worker(url: str, place: Path, *words: str) -> Worker:
    """`quarterdeck worker` on the app of the tests."""
    command = [sys.executable, "-m", "quarterdeck", "worker", "night_app:app", "--url", url, *words]
    return Worker(command, place)


def command(place: Path, *words: str, **run: Any) -> subprocess.CompletedProcess[str]:
    """A `quarterdeck` command, through to its end."""
    return subprocess.run(
        [sys.executable, "-m", "quarterdeck", *words],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **surroundings(place)},
        cwd=ROOT,
        timeout=60,
        check=False,
        **run,
    )


def ledger(place: Path, word: str) -> list[str]:
    """What the jobs of the tests' app wrote down under a word."""
    path = place / "ledger"
    lines = path.read_text().splitlines() if path.exists() else []
    return [line.partition(" ")[2] for line in lines if line.startswith(f"{word} ")]


def until(condition: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
    """Until `condition()` is true. Raises TimeoutError."""
    end = time.monotonic() + timeout_s
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"not so within {timeout_s} s")
        time.sleep(0.01)
    return result


def kill(pid: int) -> None:
    """SIGKILL, if it lives."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
