"""Whatever is painted, the terminal behind the driver shows what it would show had Textual written to it directly."""

from __future__ import annotations

from typing import Any

import pyte
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from terminal_lab import Emulator, Feed, as_seen

from tui.terminal import modes
from tui.terminal.capabilities import ColourDepth
from tui.terminal.cells import Grid
from tui.terminal.encoder import Encoder
from tui.terminal.frame import FrameParser
from tui.terminal.styles import StyleTable

STYLES = (
    "",
    "1",
    "2;3",
    "4",
    "7",
    "9;1",
    "31",
    "92;44",
    "38;5;208",
    "48;5;17;4",
    "38;2;1;2;3",
    "38;2;9;9;9;48;2;1;1;99",
    "48;2;30;30;30",
)
PLAIN = "abcXYZ 0129.,:-_|/"
NARROW = PLAIN + "éßжΩ─│▁█▸✓…→\ue0a0"
WIDE = "字漢あ한，"
EMOJI = ("🎉", "❤\ufe0f", "⚠\ufe0f", "👨\u200d👩\u200d👧", "👍🏽", "🇩🇪", "✅")
MARKS = "\u0301\u0308\u20dd\u0e47"
NOTHING = "\u200b\u200e\u202e\ufeff\u2060\xad\ud800\u2028"

words = st.text(st.sampled_from(PLAIN), min_size=1, max_size=30)
blanks = st.integers(1, 50).map(lambda n: " " * n)
odd = st.lists(
    st.one_of(
        st.sampled_from([*NARROW, *WIDE, *EMOJI, *NOTHING]),
        st.builds(lambda base, mark: base + mark, st.sampled_from("ae字"), st.sampled_from(MARKS)),
        st.sampled_from(MARKS),
    ),
    min_size=1,
    max_size=12,
).map("".join)
segments = st.lists(st.tuples(st.sampled_from(STYLES), st.one_of(words, blanks, odd)), min_size=1, max_size=5)


def styled(pieces: list[tuple[str, str]]) -> str:
    """As Textual renders a strip: each segment opens its style and resets it."""
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style else text for style, text in pieces)


def bounded(cell: Any) -> tuple[Any, ...]:
    """A cell as it is seen; of a pile of marks only as many as we let through on one glyph."""
    return as_seen(cell._replace(data=cell.data[:7]))


class Both:
    """One screen that Textual writes to, and one behind the grid and the encoder."""

    def __init__(
        self, width: int, height: int, *, erases: bool, feeds: bool = True, screen: type[pyte.Screen] = Emulator
    ) -> None:
        self.width, self.height = width, height
        self.theirs, self.ours = screen(width, height), screen(width, height)
        self.feed_theirs, self.feed_ours = Feed(self.theirs), Feed(self.ours)
        styles = StyleTable(ColourDepth.TRUE)
        self.wanted = Grid(width, height, styles.default)
        self.parser = FrameParser(self.wanted, styles)
        self.encoder = Encoder(self.wanted, styles, erases_in_colour=erases)
        self.encoder.feeds = feeds
        for feed in (self.feed_theirs, self.feed_ours):
            feed(modes.ENTER)
        self.encoder.blank()

    def paint(self, frame: str) -> None:
        self.feed_theirs(frame)
        self.parser.feed(frame)

    def send(self, limit: int) -> int:
        data = self.encoder.encode(limit)
        self.feed_ours(data)
        return len(data)

    def send_all(self, limit: int = 2048) -> None:
        while self.encoder.pending:
            self.send(limit)

    def compare(self) -> None:
        for y in range(self.height):
            ours, theirs = self.ours.buffer[y], self.theirs.buffer[y]
            columns = range(self.width)
            assert [bounded(ours[x]) for x in columns] == [bounded(theirs[x]) for x in columns], y


NOISES = ["wall: going down\r\n", "\x1b[4hxx", "\x1b[20h", "\x1b[2;3r\x1b[?6h", "\x1b[7;31m\x1b[2J"]


class Pictures(RuleBasedStateMachine):
    """Any order of painting, sending in pieces, resizing, suspending, and full repaints."""

    @initialize(width=st.integers(1, 40), height=st.integers(1, 6), erases=st.booleans(), feeds=st.booleans())
    def begin(self, width: int, height: int, erases: bool, feeds: bool) -> None:
        self.both = Both(width, height, erases=erases, feeds=feeds)
        self.sent_all = True

    @rule(where=st.tuples(st.integers(0, 5), st.integers(0, 39)), pieces=segments)
    def paint(self, where: tuple[int, int], pieces: list[tuple[str, str]]) -> None:
        y, x = min(where[0], self.both.height - 1), min(where[1], self.both.width - 1)
        self.both.paint(f"\x1b[{y + 1};{x + 1}H{styled(pieces)}\x1b[1;1H")
        self.sent_all = False

    @rule(limit=st.integers(1, 200))
    def send_a_piece(self, limit: int) -> None:
        self.both.send(limit)

    @rule(limit=st.integers(1, 4000))
    def send_all(self, limit: int) -> None:
        self.both.send_all(limit)
        self.sent_all = True

    @rule()
    def suspend_and_resume(self) -> None:
        self.both.feed_ours(modes.LEAVE + "\x1b[31mshell output\r\n$ vi\x1b[m" + modes.ENTER)
        self.both.encoder.blank()
        self.sent_all = False

    @rule(
        noise=st.sampled_from(
            ["wall: going down\r\n", "\x1b[4hxx", "\x1b[20h", "\x1b[2;3r\x1b[?6h", "\x1b[7;31m\x1b[2J"]
        )
    )
    def disturb_and_repaint(self, noise: str) -> None:
        self.both.feed_ours(noise + modes.SETTLE)
        self.both.encoder.forget()
        self.sent_all = False

    @rule(width=st.integers(1, 40), height=st.integers(1, 6), pieces=segments)
    def resize(self, width: int, height: int, pieces: list[tuple[str, str]]) -> None:
        both = self.both
        for emulator in (both.theirs, both.ours):
            emulator.resize(height, width)
            emulator.reset_mode(7, private=True)
        both.width, both.height = width, height
        both.wanted.resize(width, height)
        both.encoder.forget()
        # Textual lays out anew and paints every cell.
        rows = "\n".join(f"\x1b[{y + 1};1H" + " " * width + f"\x1b[{y + 1};1H{styled(pieces)}" for y in range(height))
        both.paint(rows + "\x1b[1;1H")
        self.sent_all = False

    @invariant()
    def same_picture(self) -> None:
        if getattr(self, "sent_all", False):
            self.both.compare()

    def teardown(self) -> None:
        if hasattr(self, "both"):
            self.both.send_all()
            self.both.compare()


Pictures.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestPictures = Pictures.TestCase


@settings(max_examples=60, deadline=None)
@given(
    screens=st.lists(
        st.lists(
            st.lists(
                st.tuples(
                    st.sampled_from(STYLES),
                    st.lists(st.sampled_from([*PLAIN, *WIDE, "e\u0301", "─"]), min_size=1, max_size=8),
                ),
                max_size=6,
            ),
            min_size=4,
            max_size=4,
        ),
        min_size=1,
        max_size=5,
    ),
    erases=st.booleans(),
)
def test_an_unaltered_pyte_agrees_for_all_it_can_draw(screens: list[Any], erases: bool) -> None:
    both = Both(24, 4, erases=erases, screen=pyte.Screen)
    for screen in screens:
        rows = []
        for y, row in enumerate(screen):
            used, pieces = 0, []
            for style, letters in row:
                text = ""
                for letter in letters:
                    width = 2 if letter in WIDE else 1
                    if used + width <= 24:
                        text += letter
                        used += width
                pieces.append((style, text))
            rows.append(f"\x1b[{y + 1};1H{styled([*pieces, ('44', ' ' * (24 - used))])}")
        both.paint("\n".join(rows))
        both.send_all()
        both.compare()


def test_nothing_is_sent_when_nothing_changed() -> None:
    both = Both(80, 24, erases=True)
    frame = "".join(f"\x1b[{y};1H\x1b[1;44m{'row ' + str(y):<80}\x1b[0m" for y in range(1, 25))
    both.paint(frame)
    both.send_all()
    both.paint(frame)
    assert both.send(10_000) == 0


def test_a_countdown_costs_a_handful_of_bytes() -> None:
    both = Both(80, 24, erases=True)
    both.paint("\x1b[12;1H\x1b[38;2;1;2;3m" + f"{'nightly 02:14:09 ran':<80}")
    both.send_all()
    both.paint("\x1b[12;1H\x1b[38;2;1;2;3m" + f"{'nightly 02:14:08 ran':<80}")
    assert both.send(10_000) <= 10
