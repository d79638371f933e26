"""Playback: which moment the screen shows. Now, now held still, or one of the past, as the flight recorder has it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from quarterdeck.model import Snapshot, View
from tui.widgets.clock import DeckClock


class Playback:
    """Moves the moment that is asked for and shown, and has `clock` tell the time of what is seen.

    `turned` is called after each move: what is on screen has to be read and painted for another moment.
    """

    def __init__(self, clock: DeckClock, turned: Callable[[], None]) -> None:
        self._clock = clock
        self._turned = turned
        self._present_ms = 0
        self.past_ms: int | None = None
        """The moment of the past that is shown, epoch ms; None for now."""
        self.frozen = False
        """Whether the screen is held as it is: only wakes cause reads."""

    def freeze(self, frozen: bool) -> None:
        """Hold the screen as it is, or let it go on."""
        self.frozen = frozen
        self._turned()

    def scrub(self, step_s: float | None) -> None:
        """Move the moment by seconds; None, or running into the present, comes back to now."""
        at_ms = self.past_ms or self._clock.now_ms()
        self.look_back(None if step_s is None else at_ms + int(step_s * 1000))

    def look_back(self, at_ms: int | None) -> None:
        """Show what was at a moment, epoch ms; None, or one that is not past, comes back to now."""
        if self.past_ms is None:
            self._present_ms = self._clock.now_ms()
        self.past_ms = at_ms if at_ms is not None and at_ms < self._present_ms else None
        self._clock.hear(self.past_ms or self._present_ms)
        self._turned()

    def dated(self, view: View) -> View:
        """The same question, asked of the moment that is shown."""
        return view if self.past_ms is None else replace(view, at_ms=self.past_ms)

    def shows(self, snapshot: Snapshot) -> bool:
        """Whether a snapshot is of the moment that is shown: one that was under way when it changed is not.

        The clock hears when it was taken.
        """
        if snapshot.view.at_ms != self.past_ms:
            return False
        if self.past_ms is None:
            self._clock.hear(snapshot.taken_ms, snapshot.rtt_ms)
        else:
            self._clock.hear(min(self.past_ms, snapshot.taken_ms))  # ages are those of the moment that was seen
        return True
