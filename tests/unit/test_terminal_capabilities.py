"""What the environment says of the terminal."""

from __future__ import annotations

import pytest

from tui.terminal.capabilities import ColourDepth, detect, is_dumb, raise_escape_delay


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ColourDepth.TRUE),
        ({"TERM": "xterm-256color"}, ColourDepth.PALETTE),
        ({"TERM": "xterm"}, ColourDepth.SIXTEEN),
        ({"TERM": "linux"}, ColourDepth.SIXTEEN),
        ({"TERM": "xterm-kitty"}, ColourDepth.TRUE),
        ({"TERM": "xterm-direct"}, ColourDepth.TRUE),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor"}, ColourDepth.PALETTE),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor", "TMUX": "x"}, ColourDepth.TRUE),
        ({"TERM": "vt220"}, ColourDepth.NONE),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, ColourDepth.NONE),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, ColourDepth.PALETTE),
        ({"TERM": "dumb", "COLORTERM": "truecolor"}, ColourDepth.NONE),
    ],
)
def test_colours(environ: dict[str, str], colours: ColourDepth) -> None:
    assert detect(environ).colours is colours


@pytest.mark.parametrize(
    ("term", "dumb"),
    [("dumb", True), ("DUMB", True), ("", True), ("unknown", True), ("xterm", False), ("vt100", False)],
)
def test_dumb(term: str, dumb: bool) -> None:
    assert is_dumb({"TERM": term}) is dumb
    assert detect({"TERM": term}).dumb is dumb


def test_no_term_at_all_is_dumb() -> None:
    assert is_dumb({})


@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"])
def test_over_ssh(name: str) -> None:
    assert detect({"TERM": "xterm", name: "x"}).ssh
    assert not detect({"TERM": "xterm", name: ""}).ssh


@pytest.mark.parametrize(
    ("environ", "tmux", "screen"),
    [
        ({"TERM": "screen-256color", "TMUX": "/tmp/x,1,0"}, True, False),
        ({"TERM": "tmux-256color"}, True, False),
        ({"TERM": "screen", "STY": "1.x"}, False, True),
        ({"TERM": "screen", "STY": "1.x", "TMUX": "/tmp/x,1,0"}, True, False),
        ({"TERM": "xterm"}, False, False),
    ],
)
def test_multiplexers(environ: dict[str, str], tmux: bool, screen: bool) -> None:
    found = detect(environ)
    assert (found.tmux, found.screen) == (tmux, screen)


@pytest.mark.parametrize(
    ("environ", "only"),
    [
        ({}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "en_US.utf8"}, False),
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LANG": "de_DE.ISO-8859-1", "LC_ALL": "C.UTF-8"}, False),
        ({"LANG": "C.UTF-8", "LC_CTYPE": "ja_JP.eucJP"}, True),
    ],
)
def test_ascii(environ: dict[str, str], only: bool) -> None:
    assert detect(environ).ascii is only


@pytest.mark.parametrize(
    ("term", "erases"), [("xterm-256color", True), ("tmux", True), ("screen", False), ("vt100", False)]
)
def test_erasing_in_colour(term: str, erases: bool) -> None:
    assert detect({"TERM": term}).erases_in_colour is erases


def test_the_escape_delay_is_longer_over_ssh_unless_it_is_given() -> None:
    ssh = {"TERM": "xterm", "SSH_TTY": "/dev/pts/1"}
    assert detect({"TERM": "xterm"}).escape_ms == 100
    assert detect(ssh).escape_ms == 500
    assert detect({**ssh, "ESCDELAY": "50"}).escape_ms == 50
    assert detect({**ssh, "ESCDELAY": "soon"}).escape_ms == 500
    raise_escape_delay(ssh)
    assert ssh["ESCDELAY"] == "500"
    given = {**ssh, "ESCDELAY": "50"}
    raise_escape_delay(given)
    assert given["ESCDELAY"] == "50"
    local: dict[str, str] = {}
    raise_escape_delay(local)
    assert local == {}


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert detect().dumb
    assert is_dumb()
