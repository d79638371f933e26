"""The terminal modes a full-screen program switches, as the sequences that switch them.

Kept free of imports: the guardian writes :data:`LEAVE` for a child that could not.
"""

from __future__ import annotations

ALTERNATE_SCREEN = "\x1b[?1049h"
CLEAR = "\x1b[m\x1b[H\x1b[2J"
"""Default colours, home, erase all: GNU screen may show the old text in its "alternate" screen."""

HIDE_CURSOR = "\x1b[?25l"
FOCUS_REPORTS = "\x1b[?1004h"
BRACKETED_PASTE = "\x1b[?2004h"
NO_WRAP = "\x1b[?7l"
KITTY_KEYS = "\x1b[>25u"
"""Kitty's keyboard protocol as Textual asks for it: 1 (disambiguate) + 8 (all keys) + 16 (their text)."""

ASK_SYNC = "\x1b[?2026$p"
ASK_CURSOR = "\x1b[6n"
SYNC_BEGIN = "\x1b[?2026h"
SYNC_END = "\x1b[?2026l"

MOUSE_ON = "\x1b[?1000h\x1b[?1003h\x1b[?1006h"
MOUSE_ON_LEAN = "\x1b[?1000h\x1b[?1002h\x1b[?1006h"
"""Without a report for each move of an idle mouse: that is upstream traffic, and a repaint for each hover."""
MOUSE_OFF = "\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l"

KITTY_KEYS_AGAIN = "\x1b[=25;1u"
"""The same without another entry on the terminal's stack, which is left once."""

SETTLE = "\x1b(B\x0f\x1b[r\x1b[4;20l\x1b[?6l\x1b[m" + NO_WRAP + HIDE_CURSOR + BRACKETED_PASTE
"""ASCII letters, no scroll margins, no insert, new line or origin mode, default colours, and our own modes: a screen
that other output has disturbed is made fit for a full repaint. It leaves the cursor anywhere."""

ENTER = ALTERNATE_SCREEN + HIDE_CURSOR + FOCUS_REPORTS + BRACKETED_PASTE + NO_WRAP + CLEAR

LEAVE = (
    SYNC_END
    + MOUSE_OFF
    + "\x1b[?1004l"  # focus reports
    + "\x1b[?2004l"  # bracketed paste
    + "\x1b[?7h"  # wrap
    + "\x1b[<u"  # kitty keys; must come before the screen is left
    + "\x1b[m"
    + "\x1b[?1049l"
    + "\x1b[?25h"  # cursor
)
"""Everything that :data:`ENTER` and the mouse switched, switched back."""

CANCEL = "\x18"
"""CAN: ends a sequence that was cut in the middle, so that what follows is read from its beginning."""
