"""Arguments as a document for an editor, and back; which editor that is."""

from __future__ import annotations

import sys

import pytest

from quarterdeck.errors import UsageError
from tui.screens.argumentfields import as_typed
from tui.screens.editor import NotJsonError, as_document, editor_command, from_document

HOSTILE = "a\x1b[2J\x07\x9b1m\u202etxt\u200b\ufeff\ud800 \x7f\n\t'\"\\é"


def test_what_is_written_is_read_back_whatever_it_holds() -> None:
    arguments = {"text": HOSTILE, "deep": {"list": [1, 2.5, None, True, "ünï"]}, HOSTILE: ""}
    document = as_document(arguments)
    assert from_document(document) == arguments


def test_nothing_that_a_terminal_would_act_on_stands_in_the_document() -> None:
    document = as_document({"text": HOSTILE})
    assert all(sign == "\n" or sign.isprintable() for sign in document)
    assert "é" in document


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n "a": 1\n "b": 2}', "Line 3, column 2"),
        ("[1]", "an object"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": ' + "[" * 100_000, "can't be read"),
        ('{"a": ' + "9" * 5_000 + "}", "can't be read"),
        ('{"a": "\udcff"}', "not UTF-8"),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(NotJsonError, match=said):
        from_document(text)


def test_the_editor_is_the_one_that_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", f"'{sys.executable}' -X utf8")
    monkeypatch.delenv("VISUAL", raising=False)
    assert editor_command() == [sys.executable, "-X", "utf8"]
    monkeypatch.setenv("VISUAL", sys.executable)
    assert editor_command() == [sys.executable]


def test_an_editor_that_is_not_there_is_named_before_the_terminal_is_given_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor -w")
    with pytest.raises(UsageError, match="no editor 'no-such-editor'"):
        editor_command()
    monkeypatch.delenv("VISUAL")
    monkeypatch.delenv("EDITOR", raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(UsageError, match="Set EDITOR"):
        editor_command()


@pytest.mark.parametrize(
    ("value", "type_word", "typed"),
    [
        ("plain", "str", "plain"),
        ("123", "str", "123"),
        ("123", "any", '"123"'),
        ('"quoted"', "str", '"\\"quoted\\""'),
        ("true", "bool", '"true"'),
        (7, "int", "7"),
        ({"a": [1]}, "dict", '{"a":[1]}'),
        (None, "str", "null"),
    ],
)
def test_a_value_is_typed_so_that_it_is_read_back_as_it_is(value: object, type_word: str, typed: str) -> None:
    assert as_typed(value, type_word) == typed
