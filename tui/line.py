"""The terminal's line, as the dashboard lives by it: how much slower to be on a bad one, copying, the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quarterdeck.errors import QuarterdeckError
from quarterdeck.text import human_bytes, human_duration

if TYPE_CHECKING:
    from textual.driver import Driver

    from tui.terminal.driver import DeckDriver
    from tui.terminal.pacing import LineQuality

BAD_LINE_FACTOR: Final = 4
"""How much slower to refresh, and to count down, on a bad line."""
_WEIGHT: Final = 0.3
_CALM_MS: Final = 10.0


class SteadyRoundTrip:
    """A round trip to be shown: it moves when the usual one has doubled or halved, and not below 10 ms at all.

    The bare figure differs with every read, which would paint something each second where nothing happens.
    """

    def __init__(self) -> None:
        self.ms: float | None = None
        self._usual_ms = 0.0

    def hear(self, rtt_ms: float) -> None:
        """Take in one more."""
        if self.ms is None:
            self.ms = self._usual_ms = rtt_ms
            return
        self._usual_ms += _WEIGHT * (rtt_ms - self._usual_ms)
        small, large = sorted((max(_CALM_MS, self._usual_ms), max(_CALM_MS, self.ms)))
        if large >= 2 * small:
            self.ms = self._usual_ms


def deck_driver(driver: Driver | None) -> DeckDriver | None:
    """The driver as ours; None for Textual's own, which measures nothing."""
    return driver if driver is not None and hasattr(driver, "line_quality") else None  # type: ignore[return-value]


def quality_of(driver: Driver | None) -> LineQuality | None:
    """What is known of the line, or None."""
    ours = deck_driver(driver)
    return ours.line_quality if ours is not None else None


def slowness(driver: Driver | None) -> int:
    """By what factor to do everything less often: 1 on a good line."""
    quality = quality_of(driver)
    return BAD_LINE_FACTOR if quality is not None and quality.bad else 1


def line_label(driver: Driver | None) -> str:
    """`line 420ms 2.0 KB/s` on a bad line; nothing on a good one."""
    quality = quality_of(driver)
    if quality is None or not quality.bad:
        return ""
    rtt = human_duration(quality.rtt_ms) if quality.rtt_ms is not None else ""
    rate = f"{human_bytes(quality.bytes_per_s)}/s" if quality.bytes_per_s is not None else ""
    return " ".join(part for part in ("line", rtt, rate) if part)


def copy_text(driver: Driver | None, text: str) -> str:
    """Hand a text to the terminal's clipboard, or to a file; says which. Raises QuarterdeckError."""
    ours = deck_driver(driver)
    if ours is None:
        raise QuarterdeckError("This terminal driver can't copy.", "Save it to a file: :save FILE")
    try:
        copied = ours.copy(text)
    except OSError as error:
        raise QuarterdeckError(f"The copy can't be written: {error.strerror}.") from error
    if copied.path is not None:
        return f"Too long for the clipboard: {human_bytes(copied.n_bytes)} are in {copied.path}"
    return f"Copied {human_bytes(copied.n_bytes)}."


def turn_mouse(driver: Driver | None) -> str:
    """Take the mouse, or leave it to the terminal; says which. Raises QuarterdeckError."""
    ours = deck_driver(driver)
    if ours is None:
        raise QuarterdeckError("This terminal driver can't turn the mouse on or off.")
    return "The mouse is on." if ours.toggle_mouse() else "The mouse is off: the terminal selects text."
