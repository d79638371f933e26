"""A queue's state is one thing with one word: the screen, the command line and the verdict's bounds agree."""

from __future__ import annotations

from typing import Any

import pytest

from quarterdeck.cli.status import queue_state as told
from quarterdeck.model import PauseStat, QueueStat, QueueState, alarm
from tui.rendering.moment import Moment
from tui.rendering.queues import queue_state as shown

NOW = 1_795_349_000_000
WAITED: dict[str, Any] = {"oldest_ms": 48_000, "in_per_s": 9.0, "out_per_s": 1.0}
CASES: list[tuple[dict[str, Any], QueueState]] = [
    ({}, QueueState.RUNNING),
    ({"depth": 0, "active": 0}, QueueState.IDLE),
    ({"depth": 0, "active": 1}, QueueState.RUNNING),
    ({"workers": 0}, QueueState.DESERTED),
    ({"workers": 0, "depth": 0, "active": 0}, QueueState.DESERTED),
    ({"failure_rate": 0.05}, QueueState.FAILING),
    ({"failure_rate": 0.3, "failed_attempts": 4}, QueueState.RUNNING),
    (WAITED, QueueState.BACKING_UP),
    (WAITED | {"out_per_s": 10.0}, QueueState.RUNNING),
    (WAITED | {"oldest_ms": 29_000}, QueueState.RUNNING),
    ({"orphans": 4}, QueueState.ORPHANS),
    ({"paused": PauseStat(owner="ann", until_ms=NOW + 60_000)}, QueueState.PAUSED),
    ({"error": "saq:emails:queued is of a wrong type (set)"}, QueueState.BROKEN),
    # The worst is said.
    (WAITED | {"failure_rate": 0.5, "orphans": 4}, QueueState.FAILING),
    (WAITED | {"orphans": 4}, QueueState.BACKING_UP),
    ({"workers": 0, "failure_rate": 0.5}, QueueState.DESERTED),
    ({"workers": 0, "depth": 0, "failure_rate": 0.5}, QueueState.FAILING),
    ({"paused": PauseStat(owner="ann"), "workers": 0, "failure_rate": 0.5}, QueueState.PAUSED),
    ({"error": "x", "paused": PauseStat(owner="ann")}, QueueState.BROKEN),
]


def queue(changed: dict[str, Any]) -> QueueStat:
    return QueueStat(**({"name": "emails", "depth": 3, "active": 1, "workers": 1, "slots": 10} | changed))


@pytest.mark.parametrize(("changed", "state"), CASES)
def test_the_worst_of_a_queue_is_its_state(changed: dict[str, Any], state: QueueState) -> None:
    assert alarm.queue_state(queue(changed)) is state


@pytest.mark.parametrize("changed", [changed for changed, _ in CASES])
def test_the_screen_and_the_command_line_say_the_same(changed: dict[str, Any]) -> None:
    on_screen = shown(queue(changed), Moment(NOW))[0]
    assert told(queue(changed), NOW) == on_screen.partition(":")[0]  # what is broken stands in `status` as a finding


def test_nobody_is_missed_where_nobody_knows_who_was_there() -> None:
    assert alarm.queue_state(queue({"workers": 0}), workers_known=False) is QueueState.RUNNING
