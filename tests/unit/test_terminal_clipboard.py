"""A copy reaches the clipboard through tmux and screen, or a file that only its owner can read."""

from __future__ import annotations

import base64
import re
import stat
from typing import TYPE_CHECKING

import pytest

from tui.terminal.capabilities import detect
from tui.terminal.clipboard import CAP_BYTES, copy, wrap

if TYPE_CHECKING:
    from pathlib import Path

BARE = detect({"TERM": "xterm-256color"})
TMUX = detect({"TERM": "screen-256color", "TMUX": "/tmp/tmux-0/default,1,0"})
SCREEN = detect({"TERM": "screen", "STY": "1234.pts-0"})


def test_a_bare_terminal_gets_osc_52() -> None:
    copied = copy("naïve 字", BARE)
    assert copied.how == "terminal"
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]+)\x07", copied.sequence)
    assert found
    assert base64.b64decode(found[1]).decode() == "naïve 字"
    assert copied.n_bytes == 10


def test_tmux_is_told_to_hand_it_on_and_may_act_itself() -> None:
    sequence = copy("x", TMUX).sequence
    assert sequence.startswith("\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\")
    assert sequence.endswith("\x1b]52;c;eA==\x07")


def test_screen_gets_short_strings_that_add_up() -> None:
    sequence = copy("x" * 500, SCREEN).sequence
    chunks = re.findall(r"\x1bP(.*?)\x1b\\", sequence, re.DOTALL)
    assert max(map(len, chunks)) <= 76
    assert "".join(chunks) == copy("x" * 500, BARE).sequence
    assert wrap("\x07", BARE) == "\x07"


@pytest.mark.parametrize(("length", "how"), [(CAP_BYTES // 4 * 3, "terminal"), (CAP_BYTES // 4 * 3 + 1, "file")])
def test_what_terminals_refuse_goes_to_a_file(length: int, how: str, tmp_path: Path) -> None:
    assert copy("x" * length, BARE, directory=tmp_path).how == how


def test_a_slow_line_is_not_blocked_for_seconds(tmp_path: Path) -> None:
    assert copy("x" * 9_000, BARE, bytes_per_s=2_000, directory=tmp_path).how == "file"
    assert copy("x" * 900, BARE, bytes_per_s=2_000, directory=tmp_path).how == "terminal"


def test_the_file_is_whole_and_private(tmp_path: Path) -> None:
    text = "secret 字\ud800\n" * 20_000
    copied = copy(text, BARE, directory=tmp_path / "new")
    assert copied.path is not None
    assert copied.path.read_bytes() == text.encode("utf-8", "replace")
    assert stat.S_IMODE(copied.path.stat().st_mode) == 0o600
    assert copied.sequence == ""


def test_a_directory_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        copy("x" * 100_000, BARE, directory=tmp_path / "file")
