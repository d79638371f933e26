"""Whatever comes in, what goes out can be painted and can only be painted."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.text import ELLIPSIS, clean, clean_lines

HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]0;owned\x07",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31m",
    "\x90q\x9c",
    "\x1bPq\x1b\\",
    "\x00\x07\x0e\x0f\x7f",
    "\u202egpj.exe",
    "\u2066isolate\u2069",
    "pay\u200bload\u200d\u2060",
    "\ufeffbom",
    "soft\xadhyphen",
    "\u2028\u2029",
    "\ufe0f\U000e0041\U000e007f",
    "\ud800\udfff",
    "\U0001f1e9\U0001f1ea",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "z\u0335\u0321\u0321\u0334\u0321\u0334\u0334a",
    "\u0301starts with a mark",
    "[red]markup[/] [@click=app.quit]x[/]",
    "\r\n\t\v\f",
    "\uffff\ufdd0\U0010ffff",
    "\ue000",
]

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


def test_plain_ascii_comes_back_as_the_same_object() -> None:
    text = "send_email [red] $%&"
    assert clean(text) is text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x00\x1b[2J\n\t", "␀␛[2J␊␉"),
        ("a\x7fb", "a␡b"),
        ("a\x9bb\x85", "a·b·"),
        ("a\u202eb\u2066c\u200fd\u061c", "a·b·c·d·"),
        ("a\u200bb\u200dc\ufe0fd\U000e0041\ufeff\xad\u2028\u2029", "a·b·c·d·····"),
        ("\ud83dx", "\ufffdx"),
        ("\ue000\uffff", "\ufffd\ufffd"),
        ("a\xa0b\u3000c\u2003", "a b c "),
        ("Grüße, 世界", "Grüße, 世界"),
        ("cafe\u0301", "café"),
    ],
)
def test_each_class_has_its_stand_in(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_a_mark_at_the_start_does_not_land_on_the_neighbouring_column() -> None:
    assert clean("\u0301x") == "\u25cc\u0301x"


def test_marks_are_bounded_on_one_character() -> None:
    assert clean("x" + "\u0323" * 50) == "x" + "\u0323" * 3


def test_cut_text_ends_in_an_ellipsis_within_the_limit() -> None:
    assert clean("x" * 5000) == "x" * 4095 + ELLIPSIS
    assert clean("abcdef", 4) == "abc…"
    assert clean("abcd", 4) == "abcd"
    assert clean("abcd", 0) == ""


def test_a_megabyte_is_cut_before_it_is_looked_at() -> None:
    assert len(clean("\x1b" * 1_000_000)) == 4096


@given(ANY_TEXT)
def test_nothing_unprintable_is_left(raw: str) -> None:
    shown = clean(raw)
    assert shown.isprintable()
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for char in shown)


@given(ANY_TEXT, st.integers(1, 80))
def test_cleaning_twice_changes_nothing_and_keeps_the_limit(raw: str, limit: int) -> None:
    shown = clean(raw, limit)
    assert len(shown) <= limit
    assert clean(shown, limit) == shown


@pytest.mark.parametrize("raw", HOSTILE)
def test_hostile_strings_are_harmless_in_lines_too(raw: str) -> None:
    assert all(line.isprintable() for line in clean_lines(f"before{raw}after"))


def test_lines_break_at_lf_and_crlf_only() -> None:
    assert clean_lines("a\nb\r\nc\rd\u2028e\x0bf") == ["a", "b", "c␍d·e␋f"]
    assert clean_lines("a\n\nb\n") == ["a", "", "b"]
    assert clean_lines("") == [""]
    assert clean_lines("\n") == [""]


def test_tabs_stand_at_their_columns() -> None:
    assert clean_lines("\tx\na\tb", tab=4) == ["    x", "a   b"]


def test_lines_are_bounded_in_length_and_in_sum() -> None:
    assert clean_lines("x" * 100, line_limit=10) == ["x" * 9 + ELLIPSIS]
    assert sum(map(len, clean_lines("x\n" * 1000, limit=100))) <= 100


@given(ANY_TEXT)
def test_lines_are_clean(raw: str) -> None:
    assert all(line.isprintable() for line in clean_lines(raw))
