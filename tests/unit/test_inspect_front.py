"""Jobs that stay at a queue's head are read once; troubles find the queue whose key they are about."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.inspect.front import ANEW, FrontStore
from quarterdeck.inspect.plan import LAST_MS, Plan, moment_ms
from quarterdeck.inspect.trouble import by_queue, in_short


def _known(store: FrontStore) -> list[str]:
    """The ids of which the script would not read the payload."""
    plan = Plan()
    store.ask(plan, "saq:q:queued", 12)
    ((_, words),) = plan._reads["saq:q:queued"]
    known: Any = words[-1]
    return [word for word in known.decode().split("\n") if word]


def _row(key: str, payload: bytes = b'{"function":"send"}') -> list[Any]:
    return [f"saq:job:q:{key}".encode(), len(payload), payload, b""]


def test_who_stays_is_not_read_again() -> None:
    store = FrontStore("q")
    assert _known(store) == []
    first = store.absorb([_row("a"), _row("b")])
    assert [row.key for row in first] == ["a", "b"]
    assert _known(store) == ["saq:job:q:a", "saq:job:q:b"]
    assert [row.key for row in store.absorb([b"saq:job:q:b", _row("c")])] == ["b", "c"]
    assert _known(store) == ["saq:job:q:b", "saq:job:q:c"]


def test_what_can_not_be_read_is_read_again() -> None:
    store = FrontStore("q")
    (row,) = store.absorb([_row("a", b"{")])
    assert row.broken
    assert _known(store) == []


def test_now_and_then_all_are_read_anew() -> None:
    store = FrontStore("q")
    store.absorb([_row("a")])
    assert [len(_known(store)) for _ in range(ANEW)] == [1] * (ANEW - 1) + [0]


@pytest.mark.parametrize(
    ("trouble", "queue"),
    [
        ("saq:a:queued is of a wrong type (set)", "a"),
        ("qd:failed:a is of a wrong type (set)", "a"),
        ("qd:minute:a:b:5 is of a wrong type (set)", "a:b"),
        ("qd:failed-sig:1:a:abc is of a wrong type (set)", "a"),
        ("qd:failed:ab is of a wrong type (set)", None),
        ("qd:audit is of a wrong type (list)", None),
        ("saq:job:a:k: ERR no", "a"),
    ],
)
def test_a_trouble_finds_its_queue(trouble: str, queue: str | None) -> None:
    assert by_queue([trouble], ["a", "a:b"]) == {queue: [trouble]}


def test_many_troubles_are_counted() -> None:
    assert in_short([]) == ""
    assert in_short(["x", "y"]) == "x; y"
    assert in_short(["x", "y", "z", "w"]) == "x; y; and 2 more"


@pytest.mark.parametrize(
    ("value", "moment"),
    [(b"5", 5), (b"+inf", LAST_MS), (b"-inf", 0), (b"nan", 0), (b"1e300", LAST_MS), (b"x", 0), (None, 0), (b"", 0)],
)
def test_a_score_is_a_moment(value: bytes | None, moment: int) -> None:
    assert moment_ms(value) == moment
