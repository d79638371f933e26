"""From the first painting to the first read: what is done when, so that nothing the user waits for waits itself."""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Final

from quarterdeck.model import Screen
from tui.line import deck_driver
from tui.screens.registry import screen_for

if TYPE_CHECKING:
    from tui.app import Deck

LOADED_S: Final = 2.0
"""By then the server's client is loaded, too: the garbage collector may run, and need not look at all that."""
KEPT_S: Final = 0.7
"""By then the rows are there, and there is time to keep the first painting."""

SETTING_OUT_S: Final = 5.0
"""For so long the embedded server's worker, which was started with it, is looked for every `LOOKED_FOR_S` seconds."""
LOOKED_FOR_S: Final = 0.2


class Departure:
    """The start of one dashboard."""

    def __init__(self, deck: Deck) -> None:
        self._deck = deck
        self._began = time.monotonic()

    async def board(self) -> None:
        """The screen is being made: put the view that was named on it, and rows if they are known already.

        Where the first painting is to be kept for the next start, the rows come after it.
        """
        deck, sight = self._deck, self._deck.station.first_sight
        if deck.station.first.screen is not Screen.OVERVIEW:
            await deck.push_screen(screen_for(deck.station.first))
        deck.boarded = True
        if sight is not None and sight.fresh:
            deck.reading.look()

    def cast_off(self) -> None:
        """The first painting is whole: send it, and begin to read."""
        deck, sight = self._deck, self._deck.station.first_sight
        driver = deck_driver(deck.driver)
        if driver is not None:
            driver.painted()
        if sight is not None and deck.snapshot is None:
            deck.set_timer(KEPT_S, sight.look(driver))
        deck.set_timer(LOADED_S, _collect)
        deck.run_worker(self._go_to_sea(), name="departure")

    def lacks_worker(self) -> bool:
        """Whether the worker that comes with an embedded server may be there any moment."""
        deck = self._deck
        young = deck.station.brings_worker and time.monotonic() - self._began < SETTING_OUT_S
        return young and (deck.snapshot is None or not deck.snapshot.workers)

    async def _go_to_sea(self) -> None:
        """Paint the first rows, if somebody has seen them already; then load what it takes to read and to act.

        The other way round the rows would be there and wait unpainted for a fifth of a second of imports.
        """
        deck = self._deck
        await deck.reading.look()
        deck.call_after_refresh(self._begin)

    def _begin(self) -> None:
        deck = self._deck
        deck.run_worker(deck.reading.run(), name="reading")
        deck.run_worker(deck.acting.stay_present(lambda: str(deck.deck_screen.SCREEN)), name="presence")


def _collect() -> None:
    gc.freeze()
    gc.enable()
