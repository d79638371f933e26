"""Text cut into glyphs: the widths Textual counted, and nothing that moves a terminal's cursor another way."""

from __future__ import annotations

import unicodedata
from dataclasses import astuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.look.glyphs import UNICODE
from tui.terminal.glyphs import ascii_form, singles, split, steady


@pytest.mark.parametrize(
    ("text", "glyphs"),
    [
        ("ab", [("a", 1), ("b", 1)]),
        ("字x", [("字", 2), ("x", 1)]),
        ("e\u0301x", [("e\u0301", 1), ("x", 1)]),
        ("\u0301x", [("\u0301", 0), ("x", 1)]),
        ("a\u200bb", [("a", 1), ("b", 1)]),
        ("a\u202eb\u2066", [("a", 1), ("b", 1)]),
        ("❤\ufe0f!", [("❤\ufe0f", 2), ("!", 1)]),
        ("👨\u200d👩\u200d👧!", [("👨", 2), ("!", 1)]),
        ("👍🏽!", [("👍", 2), ("!", 1)]),
        ("\ud800", [("\ufffd", 1)]),
        ("\xad", [(" ", 1)]),
        ("\u200dx", []),
        ("", []),
    ],
)
def test_known_cases(text: str, glyphs: list[tuple[str, int]]) -> None:
    assert list(split(text)) == glyphs


@given(st.text(max_size=40))
def test_widths_add_up_to_what_textual_reserved(text: str) -> None:
    assert sum(width for _, width in split(text)) == cell_len(text)


@given(st.text(max_size=40))
def test_nothing_that_controls_passes(text: str) -> None:
    for glyph, _ in split(text):
        for character in glyph:
            assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
            character.encode()


@given(st.text(max_size=40))
def test_the_ascii_form_takes_the_same_cells(text: str) -> None:
    form = ascii_form(text)
    assert form.isascii()
    assert form.isprintable()
    assert len(form) == cell_len(text)


def test_look_alikes() -> None:
    assert ascii_form("┌─┤▁▄█│✓✗é字→…") == "+-+.+#|vxe? >~"


def test_what_passes_as_singles_is_what_looking_closer_finds() -> None:
    printable = filter(str.isprintable, map(chr, range(0x11000)))
    assert all(split(char) == ((char, 1),) and steady(char) for char in printable if singles(char))


@pytest.mark.parametrize("text", ["字", "e\u0301", "❤\ufe0f", "▶\ufe0f", "a\u200bb", "\xad", "🎉", "\u0301", "\ue0a0"])
def test_what_needs_a_closer_look_is_no_singles(text: str) -> None:
    assert not singles(f"plain {text} plain")


def test_all_signs_of_the_dashboard_are_singles() -> None:
    signs = [sign for sign in astuple(UNICODE) if isinstance(sign, str)]
    assert signs
    assert all(map(singles, [*signs, "▁▂▃▄▅▆▇█", "⠁⣿"]))


def test_texts_do_not_pile_up() -> None:
    for number in range(2_000):
        split(f"字 {number}")
    assert split.cache_info().currsize <= 256


def test_a_pile_of_marks_is_cut() -> None:
    (glyph,) = split("a" + "\u0301" * 500)
    assert len(glyph[0]) <= 8


@pytest.mark.parametrize("glyph", ["a", "é", "─", "█", "字", "한", "✓", "e\u0301", "→"])
def test_what_every_terminal_draws_alike(glyph: str) -> None:
    assert steady(glyph)


@pytest.mark.parametrize("glyph", ["🎉", "❤\ufe0f", "🇩", "✅", "⚡", "\u0378"])
def test_what_terminals_disagree_about(glyph: str) -> None:
    assert not steady(glyph)
