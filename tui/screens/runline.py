"""A few lines of styled text that repaint only when they change."""

from __future__ import annotations

from textual.strip import Strip

from tui.rendering.lines import Runs
from tui.widgets.painted import Painted


class RunLines(Painted):
    """Lines of `(text, style)` pieces, the text clean already; for the top line, banners and the footer."""

    def __init__(self, *, id: str, classes: str | None = None) -> None:  # noqa: A002  (Textual's own word)
        super().__init__(id=id, classes=classes)
        self._shown: tuple[Runs, ...] = ()

    def show(self, *lines: Runs) -> None:
        """Show these lines; those that are as they were are not painted again."""
        old, self._shown = self._shown, lines
        self.refresh_rows(
            y for y in range(max(len(old), len(lines))) if y >= len(old) or y >= len(lines) or old[y] != lines[y]
        )

    def render_line(self, y: int) -> Strip:
        """One painted line."""
        runs = self._shown[y] if y < len(self._shown) else ()
        return self.strip([(text, self.style_of(style)) for text, style in runs], self.size.width, self.style_of())

    @property
    def text(self) -> str:
        """What is shown, without styles."""
        return "\n".join("".join(text for text, _ in runs) for runs in self._shown)
