"""Escape sequences act whole or not at all, however late their parts come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.terminal.escapes import ESCAPE_KEY, EscapeGate

SEQUENCES = (
    "\x1b[A",
    "\x1b[1;5C",
    "\x1b[6~",
    "\x1bOP",
    "\x1b[<0;12;3M",
    "\x1b[<35;1;1m",
    "\x1b[12;40R",
    "\x1b[?2026;2$y",
    "\x1b[[A",
    "\x1b[97;5u",
    "\x1b[I",
)


def gate() -> EscapeGate:
    return EscapeGate(escape_s=0.5)


@given(
    st.lists(st.one_of(st.sampled_from(SEQUENCES), st.sampled_from("jkq1")), min_size=1, max_size=8),
    st.lists(st.integers(1, 6), min_size=1, max_size=30),
)
def test_cut_anywhere_the_same_pieces_come_out(pieces: list[str], cuts: list[int]) -> None:
    text, now, out, box = "".join(pieces), 0.0, [], gate()
    for cut in [*cuts, *[7] * 20]:
        # A part comes just before a lone ESC would count as the key.
        now += 0.4
        out += box.expire(now)
        out += box.feed(text[:cut], now)
        text = text[cut:]
    assert "".join(out) == "".join(pieces)
    assert [piece for piece in out if piece.startswith("\x1b")] == [p for p in pieces if p.startswith("\x1b")]


@pytest.mark.parametrize("sequence", SEQUENCES)
@pytest.mark.parametrize("pause_s", [0.6, 1.9])
def test_the_rest_of_a_sequence_whose_escape_was_taken_for_the_key_does_nothing(sequence: str, pause_s: float) -> None:
    box = gate()
    assert box.feed("\x1b", 0.0) == []
    assert box.expire(0.5) == [ESCAPE_KEY]
    if sequence == "\x1b[[A":
        return  # two brackets and a letter are not told from keys
    assert box.feed(sequence[1:], pause_s) == []


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_sequence_that_never_ends_is_dropped(sequence: str) -> None:
    for cut in range(2, len(sequence)):
        box = gate()
        assert box.feed(sequence[:cut], 0.0) == []
        assert box.until is not None
        assert box.until > 2
        assert box.expire(box.until) == []
        assert box.feed("j", 20.0) == ["j"]


def test_escape_alone_is_the_key_after_its_time() -> None:
    box = gate()
    assert box.feed("\x1b", 10.0) == []
    assert box.until == 10.5
    assert box.expire(10.4) == []
    assert box.expire(10.5) == [ESCAPE_KEY]
    assert box.until is None


def test_escape_and_then_a_key_are_two_keys_not_alt() -> None:
    box = gate()
    assert box.feed("\x1b", 0.0) == []
    assert box.feed("j", 0.2) == [ESCAPE_KEY, "j"]
    assert box.feed("\x1bj", 1.0) == [ESCAPE_KEY, "j"]  # a line that stood still delivers both at once
    assert box.feed("\x1b9\x1b4\r", 2.0) == [ESCAPE_KEY, "9", ESCAPE_KEY, "4\r"]
    assert box.feed("\x1b\x7f", 3.0) == ["\x1b\x7f"]


def test_escape_twice() -> None:
    box = gate()
    assert box.feed("\x1b\x1b", 0.0) == [ESCAPE_KEY]
    assert box.expire(0.5) == [ESCAPE_KEY]


def test_a_bracket_typed_after_escape_comes_through() -> None:
    box = gate()
    box.feed("\x1b", 0.0)
    assert box.expire(0.5) == [ESCAPE_KEY]
    assert box.feed("[", 1.0) == []
    assert box.expire(1.5) == ["["]


def test_a_bracket_later_is_just_a_key() -> None:
    box = gate()
    box.feed("\x1b", 0.0)
    box.expire(0.5)
    assert box.feed("[", 9.0) == ["["]


@pytest.mark.parametrize(
    "answer", ["\x1b]11;rgb:1/2/3\x07", "\x1b]11;rgb:1/2/3\x1b\\", "\x1bP1+r\x1b\\", "\x1b_G1\x1b\\"]
)
def test_answers_nobody_asked_for_are_swallowed(answer: str) -> None:
    for cut in range(1, len(answer)):
        box = gate()
        out = box.feed(answer[:cut], 0.0) + box.feed(answer[cut:] + "j", 0.1)
        assert out == ["j"]


def test_a_sequence_cut_off_by_another_is_dropped() -> None:
    assert gate().feed("\x1b[12\x1b[Aj", 0.0) == ["\x1b[A", "j"]
    assert gate().feed("\x1b]11;rgb\x1b[Bj", 0.0) == ["\x1b[B", "j"]


def test_a_paste_is_one_thing_whatever_is_in_it() -> None:
    box = gate()
    out = box.feed("\x1b[200~rm -rf \x1b[A \x1b", 0.0) + box.feed("x\x1b[20", 0.1) + box.feed("1~j", 0.2)
    assert "".join(out) == "\x1b[200~rm -rf \x1b[A \x1bx\x1b[201~j"
    assert out[-1] == "j"


def test_a_paste_whose_end_was_lost_ends_by_itself() -> None:
    box = gate()
    box.feed("\x1b[200~half a pas", 0.0)
    assert box.until is not None
    assert box.expire(box.until) == ["\x1b[201~"]
    assert box.feed("j", 30.0) == ["j"]


@given(st.text(max_size=60), st.lists(st.integers(0, 60), max_size=4))
def test_plain_text_passes_unchanged(text: str, cuts: list[int]) -> None:
    text = text.replace("\x1b", "")
    box, out, last = gate(), "", 0
    for cut in sorted(min(cut, len(text)) for cut in [*cuts, 60]):
        out += "".join(box.feed(text[last:cut], 0.0))
        last = cut
    assert out == text


@given(st.text(st.sampled_from("\x1b[]OP_^X0;9~Aj\x07\\ "), max_size=40))
def test_nothing_is_held_for_ever(text: str) -> None:
    box = gate()
    box.feed(text, 0.0)
    for step in range(1, 5):
        box.expire(step * 10.0)
    assert box.until is None
    assert box.feed("j", 100.0)[-1].endswith("j")
