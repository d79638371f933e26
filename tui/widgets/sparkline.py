"""A sparkline by itself: one line, as wide as the widget, the newest value at the right."""

from __future__ import annotations

from collections.abc import Sequence

from textual.strip import Strip

from quarterdeck.text import sparkline
from tui.widgets.painted import Painted


class Sparkline(Painted):
    """Values as bars. Coarser with `coarse`, for bad lines: half the bars, so that half as many cells change."""

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
        style: str = "",
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._values: tuple[float | None, ...] = ()
        self._top: float | None = None
        self._style = style
        self.coarse = False

    def show(self, values: Sequence[float | None], top: float | None = None, style: str | None = None) -> None:
        """Show these values, `top` being a full bar (default: the largest); painted only if the bars change."""
        before = self.bars()
        self._values, self._top = tuple(values), top
        changed = style is not None and style != self._style
        self._style = self._style if style is None else style
        if changed or self.bars() != before:
            self.refresh_rows([0])

    def bars(self) -> str:
        """What is painted."""
        width = self.size.width
        if not self.coarse:
            return sparkline(self._values, width, self.glyphs.ascii, self._top)
        half = sparkline(self._values, width // 2, self.glyphs.ascii, self._top)
        return "".join(bar * 2 for bar in half).rjust(width)

    def render_line(self, y: int) -> Strip:
        """The bars, on the first line."""
        text = self.bars() if y == 0 else ""
        return self.strip([(text, self.style_of(self._style))], self.size.width, self.style_of())
