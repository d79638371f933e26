"""The pacer: what is under way stays small, silence is survived, and the line is measured."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.terminal.pacing import WINDOW_BYTES, Pacer


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Line:
    """A terminal behind a line: pieces queue up, are carried at a speed, and answered after the round trip."""

    def __init__(self, bytes_per_s: float, rtt_s: float) -> None:
        self.clock = Clock()
        self.pacer = Pacer(clock=self.clock)
        self.bytes_per_s, self.rtt_s = bytes_per_s, rtt_s
        self.free_at = self.clock.now
        self.answers: list[float] = []
        self.most = 0

    def send(self, n_bytes: int, *, ask: bool | None = None) -> None:
        asked = self.pacer.asks(n_bytes) if ask is None else ask
        self.pacer.sent(n_bytes, asked=asked)
        self.free_at = max(self.free_at, self.clock.now) + n_bytes / self.bytes_per_s
        if asked:
            self.answers.append(self.free_at + self.rtt_s)
        self.most = max(self.most, self.pacer.unacknowledged)

    def paint(self, n_bytes: int) -> None:
        """As the painter sends a piece."""
        if self.pacer.probes(n_bytes):
            self.send(4, ask=True)
        self.send(n_bytes)

    def run(self, seconds: float, *, urgent: bool = False, backlog: int = 10**9) -> int:
        """Send as much of ``backlog`` as the pacer lets through; the bytes sent."""
        sent, until = 0, self.clock.now + seconds
        while self.clock.now < until:
            while self.answers and self.answers[0] <= self.clock.now:
                self.answers.pop(0)
                self.pacer.answered()
            while sent < backlog and (room := self.pacer.room(urgent=urgent)) > 0:
                piece = min(room, backlog - sent)
                self.paint(piece)
                sent += piece
            self.clock.now += 0.001
        return sent


def test_no_more_than_the_window_is_under_way() -> None:
    line = Line(10_000, 0.15)
    line.run(5)
    assert line.most <= WINDOW_BYTES + 4


@settings(max_examples=40, deadline=None)
@given(st.floats(500, 1e7), st.floats(0.0005, 0.6))
def test_on_any_line_the_window_holds_and_the_line_is_used(bytes_per_s: float, rtt_s: float) -> None:
    line = Line(bytes_per_s, rtt_s)
    carried = line.run(6, urgent=True)
    assert line.most <= WINDOW_BYTES + 54
    possible = min(bytes_per_s, 512 / (rtt_s + 512 / bytes_per_s))
    assert carried >= 0.4 * possible * 6 - 2048


def test_a_slow_line_is_known_as_such_and_gets_less() -> None:
    line = Line(2_000, 0.15)
    line.run(5)
    quality = line.pacer.quality
    assert quality.bad
    assert quality.rtt_ms is not None
    assert 150 <= quality.rtt_ms <= 260
    assert quality.bytes_per_s is not None
    assert 1_000 <= quality.bytes_per_s <= 4_500
    assert line.pacer.window() == 512


def test_a_fast_line_is_good() -> None:
    line = Line(5e6, 0.02)
    line.run(2)
    quality = line.pacer.quality
    assert not quality.bad
    assert quality.answers
    assert line.pacer.window() == WINDOW_BYTES


def test_a_far_line_is_bad_whatever_it_carries() -> None:
    line = Line(5e6, 0.6)
    line.run(3)
    assert line.pacer.quality.bad


def test_what_a_key_did_finds_room_while_the_rest_waits() -> None:
    line = Line(10_000, 0.15)
    line.run(3)
    while line.pacer.room() > 0:
        line.send(line.pacer.room(), ask=True)
    assert line.pacer.room(urgent=True) > 0


def test_small_pieces_are_seldom_asked_about() -> None:
    clock = Clock()
    pacer = Pacer(clock=clock)
    asked = []
    for _ in range(20):
        clock.now += 1
        asked.append(pacer.asks(20))
        pacer.sent(20, asked=asked[-1])
        if asked[-1]:
            pacer.answered()
    assert asked[0]
    assert 3 <= sum(asked) <= 6
    assert pacer.asks(500)


def test_a_terminal_that_never_answers_is_paced_by_the_clock() -> None:
    clock = Clock()
    pacer = Pacer(clock=clock, patience_s=0.5)
    pacer.sent(2048, asked=True)
    assert pacer.room() == 0
    wait = pacer.wait_s()
    assert wait is not None
    clock.now += wait
    assert not pacer.overdue()
    assert not pacer.quality.answers
    assert pacer.room() == WINDOW_BYTES
    pacer.sent(2048, asked=False)
    assert pacer.room() == 0
    clock.now += 0.2
    assert pacer.room() == WINDOW_BYTES


def test_a_late_first_answer_brings_pacing_back() -> None:
    clock = Clock()
    pacer = Pacer(clock=clock, patience_s=0.5)
    pacer.sent(2048, asked=True)
    clock.now += 1
    pacer.overdue()
    assert not pacer.asks(500)
    clock.now += 3
    assert pacer.asks(500)
    pacer.sent(500, asked=True)
    pacer.answered()
    assert pacer.quality.answers
    pacer.sent(2048, asked=True)
    assert pacer.room() == 0


def test_a_terminal_that_falls_silent_is_probed_and_gets_nothing_else() -> None:
    clock = Clock()
    pacer = Pacer(clock=clock)
    pacer.sent(10, asked=True)
    pacer.answered()
    pacer.sent(2048, asked=True)
    probes = 0
    for _ in range(30):
        clock.now += 1
        if pacer.wait_s() == 0:
            assert pacer.overdue()
            pacer.sent(4, asked=True)
            probes += 1
        assert pacer.room(urgent=True) == 0
    assert 5 <= probes <= 10
    assert pacer.quality.bad
    for _ in range(probes + 1):
        pacer.answered()
    assert pacer.room() > 0


def test_after_a_minute_of_silence_it_counts_as_mute() -> None:
    clock = Clock()
    pacer = Pacer(clock=clock)
    pacer.sent(10, asked=True)
    pacer.answered()
    pacer.sent(2048, asked=True)
    clock.now += 61
    assert not pacer.overdue()
    assert pacer.room() == WINDOW_BYTES


def test_starting_anew_forgets_what_was_under_way_but_not_the_line() -> None:
    line = Line(2_000, 0.1)
    line.run(3)
    before = line.pacer.quality.bytes_per_s
    line.pacer.start()
    assert line.pacer.unacknowledged == line.pacer.outstanding == 0
    assert line.pacer.quality.bytes_per_s == before
    assert line.pacer.wait_s() is None


def test_an_answer_nobody_asked_for_is_harmless() -> None:
    pacer = Pacer(clock=Clock())
    pacer.answered()
    assert pacer.room() > 0
    assert pacer.quality.rtt_ms is None


def test_a_first_answer_that_was_read_late_does_not_make_the_line_look_fast() -> None:
    line = Line(10_000, 0.15)
    line.paint(300)
    line.answers.clear()
    line.clock.now += 2.0  # a busy moment: both answers are read two seconds later
    line.pacer.answered()
    line.pacer.answered()
    line.free_at = line.clock.now
    line.run(5)
    quality = line.pacer.quality
    assert quality.bad
    assert quality.bytes_per_s is not None
    assert 2_000 <= quality.bytes_per_s <= 24_000
    assert quality.rtt_ms is not None
    assert 150 <= quality.rtt_ms <= 260


def test_answers_that_a_busy_loop_reads_together_do_not_make_the_line_look_fast() -> None:
    clock = Clock()
    pacer = Pacer(clock=clock)
    for seconds, n_bytes in ((0.15, 4), (0.25, 1_000)):  # 150 ms there and back, 10,000 bytes a second
        pacer.sent(n_bytes, asked=True)
        clock.now += seconds
        pacer.answered()
    assert pacer.quality.bytes_per_s is not None
    assert 9_000 <= pacer.quality.bytes_per_s <= 11_000
    for _ in range(20):
        for _ in range(2):
            pacer.sent(1_000, asked=True)
        clock.now += 0.4  # the answers came after 250 and 350 ms; nobody looked
        pacer.answered()
        clock.now += 0.0001
        pacer.answered()
    assert 7_000 <= pacer.quality.bytes_per_s <= 11_000
    assert pacer.quality.bad


def test_an_answer_counts_from_when_it_came_not_from_when_a_busy_loop_hears_of_it() -> None:
    clock = Clock()
    pacer = Pacer(clock=clock)
    for n_bytes in (4, 1_500):
        pacer.sent(n_bytes, asked=True)
        came = clock.now + 0.01
        clock.now += 0.5  # half a second of loading goes by
        pacer.answered(came)
    quality = pacer.quality
    assert quality.rtt_ms == pytest.approx(10)
    assert not quality.bad
