"""Letters that a stream can't write: an old locale or a pipe gets the nearest ASCII, never a traceback."""

from __future__ import annotations

import codecs
import sys
from typing import Final, TextIO

_NEAREST: Final = str.maketrans("▁▂▃▄▅▆▇█…—–·×→←↑↓✓✗✔✘’‘“”│─", "_.-:=+*#.--.x><^v+xvx''\"\"|-")
"""One for one, so that columns stay where they are."""
HANDLER: Final = "quarterdeck.nearest"


def nearest_ascii(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler: what can't be encoded becomes the nearest ASCII, or `?`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_NEAREST)
    return text.encode("ascii", "replace").decode("ascii"), error.end


def tolerate(*streams: TextIO | None) -> None:
    """Let these streams (stdout and stderr unless told) write every text there is."""
    codecs.register_error(HANDLER, nearest_ascii)
    for stream in streams or (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a test's stream may be none, a closed one is None
        if reconfigure is not None:
            reconfigure(errors=HANDLER)
