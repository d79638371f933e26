"""The base of every widget that paints itself line by line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from quarterdeck.text import cell_width
from tui.look.glyphs import Glyphs, glyphs_of
from tui.widgets.clock import LOCAL, DeckClock
from tui.widgets.palette import forget_looks, look_of

Run = tuple[str, Style]


class _Line(Strip):
    """A strip that is not kept by itself.

    Textual's remembers that undivided it is itself: a cycle, so that each line ever painted, some 3 KB, waits for the
    collector, which comes round once in hundreds of refreshes.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """The strips between some cuts, from 0 on."""
        cuts = list(cuts)
        return [self] if cuts == [self.cell_length] else super().divide(cuts)


class Painted(Widget, can_focus=False):
    """A widget that paints lines of plain text and repaints only the lines that changed.

    Its styles are classes, the same for all of them: `deck--ok`, `deck--cursor`, … (`STATES` and `PARTS` of the
    palette), given their look by the stylesheet alone.
    """

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  (Textual's own word)
        classes: str | None = None,
        disabled: bool = False,
        clock: DeckClock | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes, disabled=disabled)
        self._clock = clock
        self._palette: dict[tuple[str, ...], Style] = {}

    @property
    def clock(self) -> DeckClock:
        """The server's clock: the one given, else the app's `clock`, else this machine's."""
        if self._clock is not None:
            return self._clock
        found = getattr(self.app, "clock", LOCAL)
        return found if isinstance(found, DeckClock) else LOCAL

    @property
    def glyphs(self) -> Glyphs:
        """The signs to draw with."""
        return glyphs_of(self.app)

    def style_of(self, *names: str) -> Style:
        """The widget's own style, with those of the palette's names over it in that order."""
        style = self._palette.get(names)
        if style is None:
            style = self.rich_style
            for name in names:
                style += look_of(self.screen, name)
            self._palette[names] = style
        return style

    def on_mount(self) -> None:
        """Follow the theme: its colours reach a widget without any of its own rules changing."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.notify_style_update())

    def notify_style_update(self) -> None:
        """Forget the styles that were looked up; called by Textual when the stylesheet or a class changed."""
        super().notify_style_update()
        if self.is_attached:
            forget_looks(self.screen)
        self._palette.clear()
        self.forget_lines()
        self.refresh()

    def forget_lines(self) -> None:
        """Drop what was cached of painted lines. For subclasses that cache."""

    def tick(self) -> None:
        """A second has gone by: repaint what shows the time. For subclasses that do."""

    def refresh_rows(self, ys: Iterable[int]) -> None:
        """Repaint some lines of the content, joined into as few regions as there are gaps."""
        regions: list[Region] = []
        for y in sorted(ys):
            if regions and regions[-1].bottom == y:
                regions[-1] = regions[-1].grow((0, 0, 1, 0))
            else:
                regions.append(Region(0, y, self.size.width, 1))
        if regions:
            self.refresh(*regions)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of a region as Textual composes them."""
        strips = super().render_lines(crop)
        for strip in strips:
            # Not a copy: these are kept with what was rendered of them.
            strip.__class__ = _Line
        return strips

    def strip(self, runs: Sequence[Run], width: int, rest: Style | None = None) -> Strip:
        """A painted line of exactly `width` cells from runs of cleaned text; neighbours of one style are joined."""
        segments: list[Segment] = []
        text, style = "", self.style_of()
        for piece, piece_style in runs:
            if text and piece_style != style:
                segments.append(Segment(text, style))
                text = ""
            text, style = text + piece, piece_style
        if text:
            segments.append(Segment(text, style))
        # Measured here: asked for its length, a strip has each of its texts remembered, and each second has others.
        cells = sum(cell_width(segment.text) for segment in segments)
        painted = Strip(segments, cells)
        return painted if cells == width else painted.adjust_cell_length(width, rest if rest is not None else style)
