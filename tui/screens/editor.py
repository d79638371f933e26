"""The operator's own editor: the terminal is handed over to `$EDITOR`, and taken back when it ends."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from textual.app import App, SuspendNotSupported

from quarterdeck.errors import QuarterdeckError, UsageError

MOST_BYTES: Final = 4 * 1024 * 1024
"""A file that grew beyond this is not read back."""

_FALLBACKS: Final = ("sensible-editor", "editor", "nano", "vi")
# What JSON allows inside a string and a terminal should not be given: DEL and C1, bidi, zero-width, surrogates.
_UNSEEN: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


class NotJsonError(UsageError):
    """What was written in the editor is no JSON object; the text is kept for the next round."""


def editor_command() -> list[str]:
    """The words that start the editor: `$VISUAL`, else `$EDITOR`, else what is there. Raises UsageError."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ""
    try:
        words = shlex.split(named)
    except ValueError:
        words = [named]
    if words and shutil.which(words[0]) is None:
        raise UsageError(f"There is no editor '{words[0]}'.", "Set EDITOR to one that is installed.")
    if not words:
        words = [name for name in _FALLBACKS if shutil.which(name)][:1]
    if not words:
        raise UsageError("There is no editor.", "Set EDITOR to one that is installed.")
    return words


async def edit_text(app: App[Any], text: str, name: str) -> str:
    """Have `text` edited in a private file called `name`, and return what was saved; `text` itself when nothing was.

    The file lies in a directory of its own (0700) with mode 0600, and is gone afterwards. Meanwhile the loop goes on;
    nothing is painted. Raises QuarterdeckError where the terminal can't be handed over, and for a file that can't be
    read back.
    """
    words = editor_command()
    with tempfile.TemporaryDirectory(prefix="quarterdeck-") as place:
        path = Path(place) / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        try:
            with _undisturbed(), app.suspend():
                status = await _run([*words, str(path)])
        except SuspendNotSupported as error:
            raise QuarterdeckError("This terminal can't be handed over to an editor.") from error
        saved = _saved(path)
    if status and saved == text:
        how = f"with status {status}" if status > 0 else f"by signal {-status}"
        raise QuarterdeckError(f"The editor ended {how}; nothing was changed.")
    return saved


def _saved(path: Path) -> str:
    """What the editor left behind. Raises QuarterdeckError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError("What the editor saved is too large to be arguments.")
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise QuarterdeckError(f"What the editor saved can't be read: {error.strerror}.") from error


async def _run(words: list[str]) -> int:
    """Run the editor on our terminal; its exit status. It does not outlive us."""
    process = await asyncio.create_subprocess_exec(*words)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.terminate()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ctrl-C belongs to the editor. A handler, not SIG_IGN: that would be handed down to it."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def as_document(arguments: dict[str, Any]) -> str:
    """Arguments as one edits them: indented JSON, with what a terminal should not be given written as escapes."""
    text = json.dumps(arguments, indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def from_document(text: str) -> dict[str, Any]:
    """The arguments in what was saved. Raises NotJsonError, with the line where it goes wrong."""
    try:
        text.encode()
        found = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"Line {error.lineno}, column {error.colno}: {error.msg}.") from None
    except UnicodeEncodeError:
        raise NotJsonError("What was saved is not UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise NotJsonError(f"It can't be read: {str(error)[:120]}.") from None
    if not isinstance(found, dict):
        raise NotJsonError('Arguments are an object: {"name": value}.')
    return found


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
