"""An act is shown as a command line, ready for a runbook: the command line takes it, and means the same jobs."""

from __future__ import annotations

import shlex

import pytest
from msgspec.structs import replace

from quarterdeck.cli.frame import parse_command
from quarterdeck.cli.selection import selection_of
from quarterdeck.model import JobRef, JobState, Pace, Selection, Verb
from quarterdeck.operate.command import CommandEcho

REFS = (JobRef(queue="emails", key="k 1"), JobRef(queue="emails", key="k2"))
DONE_TO = [
    (Verb.RETRY, JobState.FAILED, "retry"),
    (Verb.ABORT, JobState.ACTIVE, "abort"),
    (Verb.DELETE, JobState.QUEUED, "delete"),
    (Verb.RUN_NOW, JobState.SCHEDULED, "retry"),
]


@pytest.mark.parametrize(("verb", "state", "word"), DONE_TO)
@pytest.mark.parametrize(
    "selection",
    [
        Selection(refs=REFS),
        Selection(queue="emails"),
        Selection(queue="emails", function="send"),
        Selection(queue="emails", filter="fn:send age>5m"),
    ],
)
def test_an_act_on_jobs_can_be_given_as_it_is_echoed(
    verb: Verb, state: JobState, word: str, selection: Selection
) -> None:
    meant = replace(selection, queue="emails", state=state)
    line = CommandEcho("--url redis://h").of_selection(verb, meant, reason="a storm", pace=None)
    words = shlex.split(line)[1:]
    assert words[2] == word
    _, args = parse_command(words, 2)
    assert selection_of(args) == meant
    assert args.reason == "a storm"


def test_a_pace_is_echoed() -> None:
    pace = Pace(mode="canary", per_s=5)
    line = CommandEcho().of_selection(Verb.RETRY, Selection(state=JobState.FAILED), reason="", pace=pace)
    _, args = parse_command(shlex.split(line)[1:], 0)
    assert (args.pace, args.per_s, args.all) == ("canary", 5, True)


def test_what_no_command_does_is_echoed_as_none() -> None:
    assert CommandEcho().of_selection(Verb.RESTORE, Selection(refs=REFS), reason="", pace=None) == ""
