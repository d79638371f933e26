"""Copying to the clipboard of whoever sits at the terminal, over any number of hops.

OSC 52 asks the terminal to do it. tmux and GNU screen must be told to hand it on, long texts are refused by terminals,
and a slow line would be deaf for as long as the text takes: then the text goes to a file.
"""

from __future__ import annotations

import base64
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from tui.terminal.capabilities import Capabilities

CAP_BYTES: Final = 74_994
"""Longest base64 text that terminals are known to take (xterm's and hterm's limit)."""

PATIENCE_S: Final = 2.0
"""Longest time that a copy may occupy the line."""

_SCREEN_CHUNK: Final = 76
"""GNU screen hands on device strings of limited length, so the sequence is cut into short ones."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of a copy."""

    how: Literal["terminal", "file"]
    n_bytes: int
    """Length of the text in UTF-8."""
    path: Path | None = None
    """The file, readable by its owner only, when ``how`` is ``"file"``."""
    sequence: str = ""
    """What to send to the terminal when ``how`` is ``"terminal"``."""


def copy(
    text: str,
    capabilities: Capabilities,
    *,
    bytes_per_s: float | None = None,
    directory: Path | None = None,
) -> Copied:
    """Decide how to copy ``text`` and, for a file, write it.

    ``bytes_per_s`` is what the line carries, if known. ``directory`` is where a file goes (default: the user's
    runtime directory, else the system's temporary one). Raises OSError when the file can't be written.
    """
    raw = text.encode("utf-8", "replace")
    encoded = base64.b64encode(raw).decode("ascii")
    too_slow = bytes_per_s is not None and len(encoded) > bytes_per_s * PATIENCE_S
    if len(encoded) > CAP_BYTES or too_slow:
        return Copied("file", len(raw), path=_write(raw, directory))
    return Copied("terminal", len(raw), sequence=wrap(f"\x1b]52;c;{encoded}\x07", capabilities))


def wrap(sequence: str, capabilities: Capabilities) -> str:
    """``sequence`` so that tmux (``allow-passthrough on``) or GNU screen hands it to its terminal.

    For tmux the bare one follows: with ``set-clipboard on`` tmux itself acts on it, and otherwise ignores it.
    """
    if capabilities.tmux:
        escaped = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{escaped}\x1b\\{sequence}"
    if capabilities.screen:
        chunks = (sequence[at : at + _SCREEN_CHUNK] for at in range(0, len(sequence), _SCREEN_CHUNK))
        return "".join(f"\x1bP{chunk}\x1b\\" for chunk in chunks)
    return sequence


def _write(raw: bytes, directory: Path | None) -> Path:
    where = directory or _runtime_directory()
    where.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="quarterdeck-copy-", suffix=".txt", dir=where)
    with os.fdopen(handle, "wb") as file:
        file.write(raw)
    return Path(name)


def _runtime_directory() -> Path:
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return Path(runtime) if runtime and os.access(runtime, os.W_OK) else Path(tempfile.gettempdir())
