"""An app that is dressed once: its theme is known before its stylesheet is read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from textual.app import App
from textual.driver import Driver

from tui.look.themes import DARK, THEMES

STYLESHEET: Final = Path(__file__).parent / "deck.tcss"
"""The deck's own look, before what an environment lays over it."""


class DressedApp(App[None], inherit_bindings=False):
    """An app with the deck's themes that starts in one of them.

    Textual starts every app in its own theme and changes it in the middle of the start: the stylesheet is read twice,
    each widget styled and laid out twice. `sheets` are read in order; an empty `theme` is the deck's own.
    """

    def __init__(self, sheets: Sequence[Path], theme: str = "", driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class, css_path=list(sheets))
        for it in THEMES:
            self.register_theme(it)
        self.set_reactive(App.theme, theme or DARK.name)
        dark = self.current_theme.dark
        self.update_classes({"-dark-mode": dark, "-light-mode": not dark, f"-theme-{self.theme}": True}, update=False)
        self.stylesheet.set_variables(self.get_css_variables())
        self._dressed_in = self._dress()

    def _dress(self) -> tuple[object, ...]:
        return self.theme, self.classes, self.ansi_theme

    def refresh_css(self, animate: bool = True) -> None:
        """Read the sheets again, unless they were read for just this theme."""
        dress = self._dress()
        if dress != self._dressed_in:
            self._dressed_in = dress
            super().refresh_css(animate)
