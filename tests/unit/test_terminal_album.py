"""The album: what is kept is found again under its key alone, and only if it is ours; a painting is what it was of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_terminal_pictures import Both, segments, styled

from tui.terminal.album import Album, Painting
from tui.terminal.capabilities import ColourDepth
from tui.terminal.cells import Grid
from tui.terminal.encoder import Encoder
from tui.terminal.frame import FrameParser
from tui.terminal.likeness import draw, read
from tui.terminal.styles import StyleTable

ONE = Painting("one", (80, 24), b"\x1b[Hhello", "\x1b[1Hhello")


def test_what_is_kept_is_found_again(tmp_path: Path) -> None:
    Album(tmp_path / "new" / "album").keep(ONE)
    album = Album(tmp_path / "new" / "album")
    assert album.find("one") == ONE
    assert album.find("two") is None
    assert oct((tmp_path / "new" / "album").stat().st_mode & 0o777) == "0o700"


def test_another_key_of_the_same_file_is_not_taken_for_it(tmp_path: Path) -> None:
    # These two have the same CRC-32.
    Album(tmp_path).keep(Painting("plumless", (1, 1), b"", ""))
    assert len(list(tmp_path.iterdir())) == 1
    assert Album(tmp_path).find("buckeroo") is None
    assert Album(tmp_path).find("plumless") is not None


def test_the_latest_are_kept(tmp_path: Path) -> None:
    album = Album(tmp_path)
    for number in range(20):
        album.keep(Painting(str(number), (1, 1), b"", ""))
        for age, path in enumerate(sorted(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime)):
            os.utime(path, (age, age))
    assert len(list(tmp_path.iterdir())) == 16
    assert album.find("19") is not None
    assert album.find("0") is None


@pytest.mark.parametrize("harm", ["others may write", "cut", "empty", "too large", "gone"])
def test_a_file_that_is_not_right_is_none(tmp_path: Path, harm: str) -> None:
    album = Album(tmp_path)
    album.keep(ONE)
    (file,) = tmp_path.iterdir()
    match harm:
        case "others may write":
            file.chmod(0o666)
        case "cut":
            file.write_bytes(file.read_bytes()[:-3])
        case "empty":
            file.write_bytes(b"")
        case "too large":
            album.keep(Painting("one", (1, 1), b"x" * 100_000, ""))
        case "gone":
            file.unlink()
    assert album.find("one") is None


def test_what_can_not_be_kept_is_not(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Album(tmp_path / "file").keep(ONE)
    assert Album(tmp_path / "file").find("one") is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 23), segments), max_size=8), st.booleans())
def test_a_terminal_shows_what_was_painted_and_the_book_keeping_agrees(
    writes: list[tuple[int, int, list[tuple[str, str]]]], erases: bool
) -> None:
    both, styles = Both(24, 6, erases=erases), StyleTable(ColourDepth.TRUE)
    cells = Grid(24, 6, styles.default)
    parser = FrameParser(cells, styles)
    for row, column, pieces in writes:
        frame = f"\x1b[{row + 1};{column + 1}H{styled(pieces)}"
        parser.feed(frame)
        both.feed_theirs(frame)
    kept = cells.copy()
    painting = draw("k", cells, styles, erases_in_colour=erases)
    both.feed_ours(painting.data)
    both.compare()
    back = read(painting, styles)
    assert (back.glyphs, back.styles) == (kept.glyphs, kept.styles)
    # Whoever goes on from there has nothing to send.
    going_on = Encoder(kept, styles, erases_in_colour=erases)
    going_on.resume(back)
    assert going_on.encode(10_000) == b""


def test_the_age_of_a_painting_is_known(tmp_path: Path) -> None:
    album = Album(tmp_path)
    assert album.age_s("one") == float("inf")
    album.keep(ONE)
    assert album.age_s("one") < 3600
    (file,) = tmp_path.iterdir()
    os.utime(file, (0, 0))
    assert album.age_s("one") > 10**9
