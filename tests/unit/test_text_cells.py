"""Widths agree with Textual's and with a terminal's, so that columns stand where they are thought to."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size
from wcwidth import wcwidth

from quarterdeck.text import asciify, cell_width, clean, fit, shorten, wrap

CLEANED = st.text(st.characters(codec=None, exclude_categories=()), max_size=120).map(clean)


@pytest.mark.parametrize("width_of", [get_character_cell_size, wcwidth])
def test_every_character_that_cleaning_lets_through_has_one_width(width_of) -> None:  # type: ignore[no-untyped-def]
    allowed = [char for char in map(chr, range(0x300, sys.maxunicode + 1)) if char.isprintable()]
    clean_ones = [char for char in allowed if clean("a" + char) == "a" + char]
    differing = [hex(ord(char)) for char in clean_ones if cell_width(char) != max(0, width_of(char))]
    assert differing == []


@given(CLEANED)
def test_a_text_is_as_wide_as_textual_thinks(text: str) -> None:
    assert cell_width(text) == cell_len(text)


@given(CLEANED, st.integers(0, 60), st.sampled_from(["left", "right", "center"]))
def test_fitted_text_takes_exactly_its_width(text: str, width: int, align) -> None:  # type: ignore[no-untyped-def]
    assert cell_width(fit(text, width, align)) == width


@pytest.mark.parametrize(
    ("text", "width", "align", "shown"),
    [
        ("abc", 5, "left", "abc  "),
        ("abc", 5, "right", "  abc"),
        ("abc", 6, "center", " abc  "),
        ("abcdef", 4, "left", "abc…"),
        ("abcdef", 4, "right", "abc…"),
        ("日本語", 4, "left", "日… "),
        ("日本語", 6, "left", "日本語"),
        ("e\u0323\u0301x", 2, "left", "e\u0323\u0301x"),
        ("abc", 1, "left", "…"),
        ("abc", 0, "left", ""),
        ("日", 1, "left", "…"),
    ],
)
def test_fit(text: str, width: int, align, shown: str) -> None:  # type: ignore[no-untyped-def]
    assert fit(text, width, align) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("e7", 12, "e7"),
        ("9bef101ab359e804-eb", 12, "9bef…e804-eb"),
        ("9bef101ab359e804-eb", 2, "9bef101ab359e804-eb"),
        ("", 0, ""),
    ],
)
def test_keys_are_cut_in_their_middle(text: str, width: int, shown: str) -> None:
    assert shorten(text, width) == shown


@given(CLEANED, st.integers(2, 40))
def test_wrapped_text_loses_nothing_and_keeps_the_width(text: str, width: int) -> None:
    pieces = list(wrap(text, width))
    assert "".join(pieces) == text
    assert all(cell_width(piece) <= width for piece in pieces)
    assert len(pieces) >= 1


@given(CLEANED)
def test_ascii_is_ascii(text: str) -> None:
    plain = asciify(text)
    assert plain.isascii()
    assert plain.isprintable()


def test_ascii_keeps_what_it_can() -> None:
    assert asciify("Grüße … café ✓ → 日␛") == "Gr?e ~ cafe + > ??".replace("Gr?e", "Gru?e")
