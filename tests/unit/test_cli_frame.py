"""The frame of the command line: flags anywhere, one module a command, an exit status and one line for every error."""

from __future__ import annotations

import argparse
import errno
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from quarterdeck import cli
from quarterdeck.cli import frame
from quarterdeck.errors import ExitStatus, QuarterdeckError, UnreachableError, UsageError


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """A directory without settings files, and none of the user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / ".git").mkdir()


@pytest.fixture
def command(monkeypatch):
    """A subcommand `status` made up for the test; its `seen` holds the arguments it was run with."""
    module = types.ModuleType("quarterdeck.cli.status", "Made up.")
    module.seen = []
    module.outcome = lambda args: 0

    def add_arguments(parser):
        parser.add_argument("--note", default="")
        acts = parser.add_subparsers(dest="act")
        acts.add_parser("pause").add_argument("name", nargs="?")

    def run(args):
        module.seen.append(args)
        return module.outcome(args)

    module.add_arguments, module.run = add_arguments, run
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("", None),
        ("--read-only", None),
        ("--url status", None),
        ("--url=x status", 1),
        ("--url x --queue a status --json", 4),
        ("status --url x", 0),
        ("-- status", None),
        ("--view :jobs", None),
    ],
)
def test_the_subcommand_is_the_first_word_that_is_no_value_of_a_flag(words, at):
    assert frame.subcommand_at(words.split()) == at


@pytest.mark.parametrize(
    "words",
    [
        "--url redis://x --queue a --queue b --read-only status pause nightly",
        "status --url redis://x --queue a --queue b --read-only pause nightly",
        "status pause nightly --url redis://x --queue a --queue b --read-only",
        "--queue a status pause --url redis://x nightly --queue b --read-only",
    ],
)
def test_global_flags_may_stand_anywhere(command, words):
    assert cli.main(words.split()) == 0
    args = command.seen[0]
    assert (args.act, args.name) == ("pause", "nightly")
    assert args.settings.url == "redis://x"
    assert args.settings.queues == ("a", "b")
    assert args.settings.read_only


def test_what_follows_two_dashes_is_left_alone(command):
    assert cli.main(["status", "pause", "--", "--url"]) == 0
    assert command.seen[0].name == "--url"
    assert command.seen[0].settings.url is None


def test_abbreviations_are_refused(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["status", "--rea"])
    assert caught.value.code == 2
    assert "--rea" in capsys.readouterr().err
    assert command.seen == []


def test_a_wrong_flag_is_one_line_and_status_2(capsys):
    with pytest.raises(SystemExit) as caught:
        frame.parse_dashboard(["--nope"])
    assert caught.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_url_and_env_exclude_each_other(command, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["status", "--url", "a", "--env", "b"])
    assert caught.value.code == 2
    assert "not allowed with" in capsys.readouterr().err


def test_an_unknown_command_is_named_with_the_nearest(capsys):
    assert cli.main(["staus"]) == 2
    assert capsys.readouterr().err == "quarterdeck: There is no command 'staus'. Did you mean 'status'?\n"


def test_a_command_far_from_all_others_gets_the_list(capsys):
    assert cli.main(["nosuch"]) == 2
    assert "There is no command 'nosuch'. Known: abort, " in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--url", "--env"])
def test_an_empty_place_is_refused(command, capsys, flag):
    """`--url "$PROD"` without PROD must not act on the embedded server."""
    assert cli.main(["status", flag, ""]) == 2
    assert f"{flag} is empty" in capsys.readouterr().err


def test_words_and_flags_may_be_mixed(monkeypatch):
    seen = []
    module = types.ModuleType("quarterdeck.cli.retry")
    module.add_arguments = lambda parser: (
        parser.add_argument("keys", nargs="*"),
        parser.add_argument("--yes", action="store_true"),
    )
    module.run = lambda args: seen.append(args) or 0
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert cli.main(["retry", "a", "--yes", "b", "--queue", "q", "c"]) == 0
    assert (seen[0].keys, seen[0].yes, seen[0].settings.queues) == (["a", "b", "c"], True, ("q",))
    assert cli.main(["retry", "--yes", "--", "-a", "--yes"]) == 0
    assert seen[1].keys == ["-a", "--yes"]


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (frame.whole(1, 65_535), "1", ["0", "-1", "65536", "x", "1.5", ""]),
        (frame.number(0, 1), "0.5", ["-0.1", "1.1", "x", "nan", "inf", ""]),
        (frame.number(0.2), "10", ["0", "-1", "nan"]),
    ],
)
def test_numbers_have_bounds(read, good, bad):
    assert read(good) == float(good)
    for text in bad:
        with pytest.raises(argparse.ArgumentTypeError, match=f"'{text}' is not a number from"):
            read(text)


def test_a_missing_module_does_not_break_the_rest(monkeypatch, capsys, command):
    monkeypatch.setitem(frame.COMMANDS, "gone", "not there")
    assert cli.main(["gone"]) == 2
    assert "not part of this installation" in capsys.readouterr().err
    assert cli.main(["status"]) == 0


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (UsageError("Wrong.", "Do right."), 2),
        (UnreachableError("Gone.", "Start it."), 3),
        (QuarterdeckError("Trouble."), 1),
    ],
)
def test_our_errors_are_one_line_on_stderr_and_their_exit_status(command, capsys, error, status):
    def outcome(args):
        raise error

    command.outcome = outcome
    assert cli.main(["status"]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"quarterdeck: {error}\n"


def test_what_a_server_says_cannot_steer_the_terminal(command, capsys):
    def outcome(args):
        raise UnreachableError("It said \x1b[2J\x07[red]\nboo.")

    command.outcome = outcome
    assert cli.main(["status"]) == 3
    printed = capsys.readouterr().err
    assert "\x1b" not in printed
    assert "\x07" not in printed
    assert printed.count("\n") == 1


def test_a_bug_keeps_its_traceback(command):
    def outcome(args):
        raise ZeroDivisionError

    command.outcome = outcome
    with pytest.raises(ZeroDivisionError):
        cli.main(["status"])


def test_the_exit_status_of_a_command_is_passed_on(command):
    command.outcome = lambda args: ExitStatus.TROUBLE
    assert cli.main(["status"]) == 1


def test_ctrl_c_is_130(command):
    def outcome(args):
        raise KeyboardInterrupt

    command.outcome = outcome
    assert cli.main(["status"]) == 130


def test_a_closed_pipe_is_quiet():
    code = "import sys; from quarterdeck.cli import frame; sys.exit(frame.guarded(lambda: [print('x' * 10**6), 0][1]))"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": ""},
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait() == 141
    process.stderr.close()


def started(code, **options):
    """What a fresh interpreter comes to when `main` runs a `status` that prints as `code` says."""
    made = f"""
import sys, types
module = types.ModuleType("quarterdeck.cli.status")
module.add_arguments = lambda parser: None
def run(args):
    {code}
    return 0
module.run = run
sys.modules[module.__name__] = module
from quarterdeck.cli import main
sys.exit(main(["status"]))
"""
    environ = {**os.environ, "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", **options.pop("env", {})}
    return subprocess.run([sys.executable, "-c", made], stderr=subprocess.PIPE, env=environ, check=False, **options)


def test_a_stream_that_is_not_utf_8_gets_the_nearest_letters():
    ended = started("print('▁▃█ 2 × a… – ü 好'); print('…', file=sys.stderr)", stdout=subprocess.PIPE)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"_-# 2 x a. - ? ?\n", b".\n")


def test_help_can_be_read_in_any_locale():
    ended = subprocess.run(
        [sys.executable, "-m", "quarterdeck", "--help"],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert b"worker" in ended.stdout


def test_a_closed_stdout_is_no_crash():
    ended = started("print('to nobody')", preexec_fn=lambda: os.close(1))
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize(("path", "said"), [("shop.db", "shop.db"), (None, "Something")])
def test_what_a_full_disk_left_no_room_for_is_not_taken_for_what_is_printed(
    path: str | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    assert frame.guarded(work) == 1
    assert capsys.readouterr().err == f"quarterdeck: {said} can't be written: no space is left. Make room there.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_under_stdout_is_a_sentence():
    with Path("/dev/full").open("wb") as full:
        ended = started("print('x' * 100_000)", stdout=full)
    assert (ended.returncode, ended.stderr.count(b"\n")) == (1, 1)
    assert b"no space is left" in ended.stderr


def test_version_and_help_need_no_dashboard(capsys, monkeypatch):
    monkeypatch.setattr(cli, "DASHBOARD", "no_such_dashboard")
    for flag, words in (("--version", "quarterdeck 0."), ("--help", "worker")):
        with pytest.raises(SystemExit) as caught:
            cli.main([flag])
        assert caught.value.code == 0
        assert words in capsys.readouterr().out


def test_help_of_a_command_shows_its_flags_and_the_global_ones(command, capsys):
    with pytest.raises(SystemExit):
        cli.main(["status", "--help"])
    printed = capsys.readouterr().out
    assert "--note" in printed
    assert "--url" in printed
    assert "Made up." in printed


def test_without_a_subcommand_the_dashboard_gets_the_flags(monkeypatch):
    module = types.ModuleType("made_up_dashboard")
    module.main = len
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(cli, "DASHBOARD", module.__name__)
    assert cli.main(["--ascii", "--url", "redis://x"]) == 3


def test_without_the_dashboard_a_sentence_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(cli, "DASHBOARD", "tui.no_such_module")
    assert cli.main([]) == 2
    assert "pip install" in capsys.readouterr().err


def test_the_dashboards_flags_reach_its_settings(tmp_path):
    args = frame.parse_dashboard(
        ["--style", "x.tcss", "--ascii", "--plain-driver", "--view", ":jobs @a", "--app", "a:b"]
    )
    assert args.settings.style == str(tmp_path / "x.tcss")
    assert args.settings.ascii
    assert args.settings.plain_driver
    assert args.settings.app == "a:b"
    assert args.view == ":jobs @a"


def test_only_the_chosen_command_is_imported():
    code = (
        "import sys; from quarterdeck.cli import frame; frame.parse_dashboard([]);"
        "print([m for m in sys.modules if m.startswith('quarterdeck.cli.') or m in ('redis', 'saq', 'textual')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['quarterdeck.cli.frame', 'quarterdeck.cli.lettering']"


@pytest.mark.parametrize("name", sorted(frame.COMMANDS))
def test_every_command_that_is_there_keeps_to_the_frame(name):
    try:
        module = __import__(f"quarterdeck.cli.{name}", fromlist=["run"])
    except ModuleNotFoundError as error:
        pytest.fail(f"{name}: {error}")
    parser = frame.Parser(prog=name)
    module.add_arguments(parser)
    frame.add_global_flags(parser)  # conflicts with a command's own flag of the same name
    assert callable(module.run)
    assert isinstance(parser, argparse.ArgumentParser)
