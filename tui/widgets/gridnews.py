"""What a grid tells its screen. As attributes of `Grid` (`Grid.RowOpened`) they read better; handlers: `on_grid_…`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from tui.widgets.gridview import GridView


class GridMessage(Message, namespace="grid"):
    """Something that happened in a grid."""

    def __init__(self, grid: GridView) -> None:
        super().__init__()
        self.grid = grid

    @property
    def control(self) -> GridView:
        """The grid, for `@on(..., "#selector")`."""
        return self.grid


class WindowWanted(GridMessage, namespace="grid"):
    """Rows from `offset` on, `limit` of them, are about to be looked at."""

    def __init__(self, grid: GridView, offset: int, limit: int) -> None:
        super().__init__(grid)
        self.offset = offset
        self.limit = limit


class CursorMoved(GridMessage, namespace="grid"):
    """The cursor stands on another key, or on none (its row is gone, or has not arrived)."""

    def __init__(self, grid: GridView, key: str | None) -> None:
        super().__init__(grid)
        self.key = key


class RowOpened(GridMessage, namespace="grid"):
    """Enter, or a double click, on a row."""

    def __init__(self, grid: GridView, key: str) -> None:
        super().__init__(grid)
        self.key = key


class Marked(GridMessage, namespace="grid"):
    """The marks changed; `keys` are all of them, in the order in which they were set."""

    def __init__(self, grid: GridView, keys: tuple[str, ...]) -> None:
        super().__init__(grid)
        self.keys = keys


class SortWanted(GridMessage, namespace="grid"):
    """The rows are wanted in the order of a column (its key)."""

    def __init__(self, grid: GridView, column: str, descending: bool) -> None:
        super().__init__(grid)
        self.column = column
        self.descending = descending


class EdgeReached(GridMessage, namespace="grid"):
    """The operator moved on at the first (`step` < 0) or the last row: the next widget may take over."""

    def __init__(self, grid: GridView, step: int) -> None:
        super().__init__(grid)
        self.step = step
