"""Payloads and tracebacks become lines that can be folded, with nothing lost and nothing secret."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.text import cell_width
from tui.widgets.doclayout import DocLayout
from tui.widgets.doclines import DocLine, cleaned, json_lines, section, text_lines, traceback_lines

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)),
    max_leaves=20,
)

TRACEBACK = """Traceback (most recent call last):
  File "/app/worker.py", line 10, in run
    await handle(job)
  File "/venv/lib/python3.11/site-packages/httpx/_client.py", line 1, in get
    return self.send()
    ^^^^^^^^^^^
  File "/usr/lib/python3.11/asyncio/tasks.py", line 2, in wait_for
    return await fut
  File "/app/mail.py", line 25, in send
    raise ConnectionError("smtp:25 refused")
ConnectionError: smtp:25 refused
"""


def texts(lines: list[DocLine]) -> list[str]:
    return [line.text for line in lines]


def test_the_engine_s_own_frames_are_folded_too() -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "/src/deck/queue/quarterdeck/worker/runner.py", line 104, in _run\n    result = call()\n'
        '  File "/src/deck/tasks/orders.py", line 24, in place_order\n    order["tenant_id"]\n'
        "KeyError: 'tenant_id'"
    )
    folded = [line.text for line in traceback_lines(text) if line.folded or line.depth]
    assert any("1 library frame" in line for line in folded)
    assert any("runner.py" in line for line in folded)
    assert not any("orders.py" in line for line in folded)


def test_a_container_holds_what_is_deeper() -> None:
    lines = json_lines({"a": [1, {"b": None}], "c": {}})
    assert texts(lines) == ["{", '  "a": [', "    1,", "    {", '      "b": null', "    }", "  ],", '  "c": {}', "}"]
    assert [line.depth for line in lines] == [0, 1, 2, 2, 3, 2, 1, 1, 0]


@given(JSON)
def test_json_can_be_read_back(value: object) -> None:
    lines = texts(json_lines(value))
    assert all(line.isprintable() for line in lines)
    if all(line.isascii() for line in lines):  # what was cleaned is not what it was
        assert json.loads("\n".join(lines)) == json.loads(json.dumps(value))


def test_what_is_not_quite_json_is_shown_too() -> None:
    lines = texts(json_lines({"nan": float("nan"), "odd": {1, 2}, "broken": "\ud800", "big": 10**30}))
    assert lines[0] == "{"
    assert '  "nan": NaN,' in lines
    assert any("{1, 2}" in line for line in lines)
    assert any(str(10**30) in line for line in lines)


def test_secrets_are_masked_before_they_become_lines() -> None:
    assert "hunter2" not in str(json_lines({"password": "hunter2", "url": "redis://:hunter2@h"}))
    assert "hunter2" not in str(text_lines("at redis://:hunter2@h"))
    assert "hunter2" not in str(traceback_lines(TRACEBACK.replace("smtp:25 refused", "password=hunter2")))


def test_a_traceback_says_first_what_broke_and_folds_libraries() -> None:
    lines = traceback_lines(TRACEBACK)
    assert lines[0] == DocLine("ConnectionError: smtp:25 refused", "bad")
    folded = [line for line in lines if line.folded]
    assert texts(folded) == ["  2 library frames"]
    deeper = [line.text for line in lines if line.depth == 1]
    assert any("httpx" in text for text in deeper)
    assert not any("/app/" in text for text in deeper)
    assert any("/app/mail.py" in line.text and line.depth == 0 for line in lines)


def test_no_line_of_a_traceback_is_lost() -> None:
    shown = texts(traceback_lines(TRACEBACK))
    assert all(line in shown for line in TRACEBACK.rstrip("\n").split("\n"))


def test_a_text_that_is_no_traceback_stays_as_it_is() -> None:
    assert texts(traceback_lines("worker lost\nits lease")) == ["worker lost", "its lease"]
    assert texts(traceback_lines("")) == [""]


def test_a_section_has_its_lines_under_it() -> None:
    lines = section("Arguments", json_lines({"a": 1}), folded=True)
    assert (lines[0].text, lines[0].depth, lines[0].folded) == ("Arguments", 0, True)
    assert [line.depth for line in lines[1:]] == [1, 2, 1]


def test_any_line_can_be_made_clean() -> None:
    assert cleaned(DocLine("a\x1b[2J")).text == "a␛[2J"
    line = DocLine("plain")
    assert cleaned(line) is line


def test_rows_are_found_in_the_middle_of_a_long_line() -> None:
    text = "".join(str(at % 10) for at in range(1_000))
    layout = DocLayout([DocLine("first"), DocLine(text), DocLine("last")], frozenset(), 10, wrapped=True)
    assert layout.rows == 102
    assert layout.piece(0) == (0, "first", 0)
    assert layout.piece(51) == (1, "0123456789", 500)
    assert layout.piece(101) == (2, "last", 0)
    assert layout.row_of(2) == 101


def test_rows_of_wide_characters_are_found_as_well() -> None:
    text = "日本語" * 100
    layout = DocLayout([DocLine(text), DocLine("x")], frozenset(), 10, wrapped=True)
    pieces = [layout.piece(row) for row in range(layout.rows - 1)]
    assert "".join(piece for _, piece, _ in pieces) == text
    assert all(text[start:].startswith(piece) for _, piece, start in pieces)


def test_what_is_folded_away_has_no_rows() -> None:
    lines = [DocLine("a"), DocLine("b", depth=1), DocLine("c", depth=2), DocLine("d")]
    assert DocLayout(lines, frozenset({0}), 20, wrapped=True).visible == [0, 3]
    assert DocLayout(lines, frozenset({1}), 20, wrapped=True).visible == [0, 1, 3]
    assert DocLayout(lines, frozenset(), 20, wrapped=True).heads == {0, 1}
    assert DocLayout(lines, frozenset({0}), 20, wrapped=True).row_of(2) == 0


@given(st.lists(st.text(max_size=60), max_size=20), st.integers(4, 30), st.booleans())
def test_the_rows_of_all_lines_are_all_of_the_text(given_lines: list[str], width: int, wrapped: bool) -> None:
    lines = [cleaned(DocLine(text)) for text in given_lines]
    layout = DocLayout(lines, frozenset(), width, wrapped)
    if wrapped:
        rows = [layout.piece(row) for row in range(layout.rows)]
        assert "".join(text for _, text, _ in rows).replace(" ", "") == "".join(texts(lines)).replace(" ", "")
        assert all(lines[index].text.startswith(text, start) for index, text, start in rows)
        assert all(cell_width(text) <= width for _, text, _ in rows)
    else:
        assert layout.rows == len(lines)


def test_prose_is_broken_between_words_and_a_token_where_it_ends() -> None:
    text = "It failed and its attempts are used up: x" + "y" * 30
    layout = DocLayout([DocLine(text), DocLine("end")], frozenset(), 20, wrapped=True)
    rows = [layout.piece(row)[1] for row in range(layout.rows)]
    assert rows == ["It failed and its ", "attempts are used ", "up: x" + "y" * 15, "y" * 15, "end"]
    assert "".join(rows[:-1]) == text


def test_the_blank_at_the_end_of_a_row_does_not_begin_the_next() -> None:
    layout = DocLayout([DocLine("twelve chars and more")], frozenset(), 12, wrapped=True)
    assert [layout.piece(row) for row in range(2)] == [(0, "twelve chars", 0), (0, "and more", 13)]


@pytest.mark.parametrize("filler", ["a", "ä", "wide日 "])
def test_a_character_is_on_the_row_that_is_told(filler: str) -> None:
    text = "one two three four five six seven eight " + filler * 30 + " needle " + filler * 1_500
    layout = DocLayout([DocLine("before"), DocLine(text)], frozenset(), 16, wrapped=True)
    at = text.index("needle")
    index, piece, start = layout.piece(layout.row_of(1, at))
    assert index == 1
    assert start <= at < start + len(piece)
