"""The operator's seat with tmux between the line and the dashboard, as on most bastion hosts."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from operator_seat import ROOT, Seat, surroundings
from terminal_lab import Lab

CONFIGURATION = """
set -g status off
set -g escape-time 50
set -g default-terminal screen-256color
set -g default-shell /bin/sh
"""
"""The whole window is the dashboard's; an Esc over a far line is not taken for Alt with the key after it."""


class TmuxSeat(Seat):
    """`python -m tui …` in a tmux server of its own, whose client is what the line leads to."""

    def __init__(self, place: Path, *words: str, environ: dict[str, str] | None = None, **line: Any) -> None:
        self.place = place
        self.socket = new_socket()
        self.ended, self.last_words = place / "ended", place / "last-words"
        settings = place / "tmux.conf"
        settings.write_text(CONFIGURATION)
        dashboard = shlex.join([sys.executable, "-m", "tui", *words])
        command = ["tmux", "-u", "-S", self.socket, "-f", str(settings), "new-session"]
        Lab.__init__(
            self,
            [*command, f"{dashboard} 2>{self.last_words}; echo $? >{self.ended}"],
            environ=surroundings(place, LC_ALL="C.UTF-8", **(environ or {})),
            cwd=str(ROOT),
            **line,
        )

    def quit(self) -> int:
        """Leave by Ctrl-C; the dashboard's exit status. Its session ends with it, and so does tmux."""
        self.keys("ctrl-c")
        assert self.wait_exit() == 0
        return int(self.ended.read_text())

    def close(self) -> None:
        """End tmux and all in it. How a dashboard ended that should not have is not on any screen: it is printed."""
        if self.ended.exists() and self.ended.read_text().strip() != "0":
            print(f"ended with status {self.ended.read_text()}", self.last_words.read_text(), sep="\n")
        end(self.socket)
        super().close()


def new_socket() -> str:
    """A path for a tmux server's socket: one above 107 bytes is refused, and a test's own directory may be as long."""
    return f"/tmp/qd-{uuid.uuid4().hex[:12]}"


def end(socket: str) -> None:
    """End the tmux server of a socket, and take that away."""
    subprocess.run(["tmux", "-S", socket, "kill-server"], check=False, capture_output=True)
    Path(socket).unlink(missing_ok=True)


def tmux_is_here() -> bool:
    """Whether this machine has tmux: it is another program, and nothing of ours needs it."""
    return shutil.which("tmux", path=os.environ.get("PATH")) is not None
