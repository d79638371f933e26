"""Columns share the width there is; what is least important goes first."""

from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.columns import Column, lay_out

QUEUES = (
    Column("queue", "QUEUE", 8, flex=1),
    Column("depth", "depth", 7, align="right"),
    Column("spark", "last hour", 9, priority=2),
    Column("oldest", "oldest", 6, align="right", priority=1),
    Column("p95", "p95", 6, align="right", priority=3),
)

COLUMNS = st.lists(
    st.builds(
        Column,
        key=st.just("k"),
        title=st.just("t"),
        width=st.integers(1, 30),
        flex=st.integers(0, 3),
        priority=st.integers(0, 4),
    ),
    max_size=8,
)


def shown(width: int) -> list[str]:
    return [placed.column.key for placed in lay_out(QUEUES, width)]


def test_all_columns_stand_where_there_is_room() -> None:
    assert shown(120) == ["queue", "depth", "spark", "oldest", "p95"]


def test_the_highest_priority_number_is_dropped_first() -> None:
    assert shown(40) == ["queue", "depth", "spark", "oldest"]
    assert shown(30) == ["queue", "depth", "oldest"]
    assert shown(20) == ["queue", "depth"]


def test_what_must_stay_is_squeezed() -> None:
    placed = lay_out(QUEUES, 14)
    assert [(one.column.key, one.width) for one in placed] == [("queue", 5), ("depth", 7)]


def test_the_flexible_column_takes_the_rest() -> None:
    placed = lay_out(QUEUES, 120)
    assert sum(one.width for one in placed) + 2 * 4 == 120
    assert placed[0].width == 8 + 120 - 44


def test_a_placed_column_knows_where_its_cell_is() -> None:
    assert [placed.index for placed in lay_out(QUEUES, 30)] == [0, 1, 3]


@given(COLUMNS, st.integers(0, 200))
def test_no_layout_is_wider_than_the_screen(columns: list[Column], width: int) -> None:
    placed = lay_out(columns, width, gap=1)
    least_gaps = sum(column.priority == 0 for column in columns)
    assert sum(one.width for one in placed) + max(0, len(placed) - 1) <= max(width, least_gaps)
    assert all(one.width > 0 for one in placed)


@given(COLUMNS, st.integers(0, 200))
def test_order_and_identity_are_kept(columns: list[Column], width: int) -> None:
    indexes = [placed.index for placed in lay_out(columns, width)]
    assert indexes == sorted(set(indexes))
