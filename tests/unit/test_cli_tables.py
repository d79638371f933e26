"""Plain tables: as wide as they need to be, and never wider than the terminal that they are read on."""

from __future__ import annotations

import sys

import pytest

from quarterdeck.cli.looking import narrowed, print_table

HEADS = ("FAILURES", ">count", "what broke")
ROWS = [("send_email", "532", "ConnectionError: smtp:25 refused by the host for the tenant with the long name")]


@pytest.mark.parametrize(
    ("widths", "columns", "fitting"),
    [
        ([10, 5, 60], 80, [10, 5, 60]),
        ([10, 5, 60], 60, [10, 5, 41]),
        ([30, 30], 42, [20, 20]),
        ([10, 5, 60], 10, [8, 5, 8]),
        ([4, 4], 3, [4, 4]),
    ],
)
def test_the_widest_column_gives_what_does_not_fit(widths: list[int], columns: int, fitting: list[int]) -> None:
    found = narrowed(widths, columns)
    assert sum(found) == sum(fitting)
    assert all(at >= min(8, was) for at, was in zip(found, widths, strict=True))


def test_on_a_terminal_no_line_is_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    print_table(HEADS, ROWS)
    assert max(map(len, capsys.readouterr().out.splitlines())) > 50, "a pipe gets it whole"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_table(HEADS, ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 50
    assert "ConnectionError" in lines[1]
