"""The gate before the key parser: only whole escape sequences pass, however late their parts come.

On a bad line ``ESC [ A`` may arrive as ``ESC`` and, seconds later, ``[A``. A parser with a short time-out turns that
into the keys Escape, ``[`` and ``A``, and each of them may do something. Here an unfinished sequence waits, and one
that never ends is dropped; only a lone ESC becomes a key, after ``escape_s``, or before a printable character: nothing
here is bound to Alt, and what was typed while the line stood still comes in one piece.
"""

from __future__ import annotations

import re
from typing import Final

ESCAPE_KEY: Final = "\x1b"
"""What :class:`EscapeGate` yields for the Escape key itself."""

_SEQUENCE: Final = re.compile(
    r"\x1b(?:"
    r"\[\[[A-E]"  # function keys of the Linux console
    r"|\[[0-?]*[ -/]*[@-Z\\-~]"  # CSI; '[' as its end is the console's introducer
    r"|O[0-9;]*[A-Za-z]"  # SS3
    r"|[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)"  # OSC, DCS, APC, PM, SOS: answers nobody asked for
    r"|[\x00-\x1a\x1c-\x1f\x7f]"  # Alt and a control character: Alt-Backspace, say
    r")"
)
_BEGUN: Final = re.compile(r"\x1b(?:\[\[|\[[0-?]*[ -/]*|O[0-9;]*|[\]P_^X][^\x07\x1b]*)?")
_UNFINISHED: Final = re.compile(r"\x1b(?:\[\[?|\[[0-?]*[ -/]*|O[0-9;]*|[\]P_^X][^\x07\x1b]*\x1b?)?\Z")
_INTRODUCERS: Final = "\x1b[O]P_^X"
_STRING: Final = ("\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX")
_LATE_TAIL: Final = re.compile(r"(?:\[[0-?]*[ -/]*[@-~]|O[A-Z])")
_LATE_TAIL_OPEN: Final = re.compile(r"(?:\[[0-?]*[ -/]*|O)\Z")
_PASTE_END: Final = "\x1b[201~"
_PASTE_BEGIN: Final = "\x1b[200~"
_LONGEST: Final = 4096


class EscapeGate:
    """Cuts input into what the parser may see. Times are seconds, given by the caller."""

    def __init__(self, *, escape_s: float, sequence_s: float = 5.0, tail_s: float = 2.0) -> None:
        self.escape_s = escape_s
        self._sequence_s: Final = sequence_s
        self._tail_s: Final = tail_s
        self._held = ""
        self._until: float | None = None
        self._tail_until = float("-inf")
        self._pasting = False

    @property
    def until(self) -> float | None:
        """When :meth:`expire` has something to decide; None while nothing is held."""
        return self._until

    def feed(self, text: str, now: float) -> list[str]:
        """What may pass now: plain runs, whole sequences, and :data:`ESCAPE_KEY` for the key."""
        out: list[str] = []
        if self._held == "\x1b" and text and text[0] not in _INTRODUCERS:
            # Alt-Backspace and its kin come in one piece; this is Escape, and then another key.
            self._held = ""
            out.append(ESCAPE_KEY)
        text, self._held, self._until = self._held + text, "", None
        if now < self._tail_until:
            text = self._without_late_tail(text, now)
        while text:
            text = self._paste(text, out, now) if self._pasting else self._next(text, out, now)
        return out

    def expire(self, now: float) -> list[str]:
        """Decide what was held too long: a lone ESC is the key, an unfinished sequence is dropped."""
        if self._until is None or now < self._until:
            return []
        held, self._held, self._until = self._held, "", None
        if self._pasting:
            # The paste was cut off by the line: end it, or every later key would count as pasted.
            self._pasting = False
            return [_PASTE_END]
        if held == "\x1b":
            self._tail_until = now + self._tail_s
            return [ESCAPE_KEY]
        if not held.startswith("\x1b"):
            return [held]
        return []

    def _next(self, text: str, out: list[str], now: float) -> str:
        start = text.find("\x1b")
        if start:
            out.append(text if start < 0 else text[:start])
            return "" if start < 0 else text[start:]
        if match := _SEQUENCE.match(text):
            sequence = match[0]
            if not sequence.startswith(_STRING):
                out.append(sequence)
            self._pasting = sequence == _PASTE_BEGIN
            if self._pasting:
                self._until = now + self._sequence_s
            return text[match.end() :]
        if _UNFINISHED.match(text) and len(text) <= _LONGEST:
            self._hold(text, now + (self.escape_s if text == "\x1b" else self._sequence_s))
            return ""
        if text[1:2] == "\x1b" or text[1:2] not in _INTRODUCERS:
            out.append(ESCAPE_KEY)
            return text[1:]
        broken = _BEGUN.match(text)
        return text[broken.end() :] if broken else ""

    def _paste(self, text: str, out: list[str], now: float) -> str:
        end = text.find(_PASTE_END)
        if end >= 0:
            self._pasting, self._until = False, None
            out.append(text[: end + len(_PASTE_END)])
            return text[end + len(_PASTE_END) :]
        # Its end mark may be cut, too.
        keep = next((n for n in range(len(_PASTE_END) - 1, 0, -1) if text.endswith(_PASTE_END[:n])), 0)
        if len(text) > keep:
            out.append(text[: len(text) - keep])
        self._hold(text[len(text) - keep :] if keep else "", now + self._sequence_s)
        return ""

    def _without_late_tail(self, text: str, now: float) -> str:
        """Swallow the rest of a sequence whose ESC was already taken for the key.

        Only what comes in one piece counts, or an opening bracket alone, which is held as long as an ESC would be.
        """
        if match := _LATE_TAIL.match(text):
            self._tail_until = float("-inf")
            return text[match.end() :]
        if _LATE_TAIL_OPEN.match(text):
            self._hold(text, now + self.escape_s)
            return ""
        return text

    def _hold(self, text: str, until: float) -> None:
        self._held, self._until = text, until
