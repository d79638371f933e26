"""`quarterdeck schedules …` as it is typed: what it prints, what it refuses, and with which exit status."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from redis import Redis

from quarterdeck.cli import main
from quarterdeck.keys import keys_of

if TYPE_CHECKING:
    from pathlib import Path


class Deck:
    """The command line on a queue of its own."""

    def __init__(self, url: str, queue: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.where = ["--url", url, "--queue", queue]
        self.queue = queue
        self.capsys = capsys
        self.err = ""

    def __call__(self, *words: str, status: int = 0) -> str:
        found = main(["schedules", *words, *self.where])
        out, self.err = self.capsys.readouterr()
        assert found == status, (words, out, self.err)
        return out

    def json(self, *words: str, status: int = 0) -> Any:
        return json.loads(self(*words, "--json", status=status))


@pytest.fixture
def deck(valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: Any) -> Deck:
    monkeypatch.chdir(tmp_path)
    return Deck(valkey.url, queue_name, capsys)


def next_fires(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> tuple[str, str]:
    assert main(["schedules", "next", *words]) == status
    out, err = capsys.readouterr()
    return out, err


def test_next_prints_a_list_of_iso_times(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["30 2 * * *", "--tz", "Europe/Berlin", "--from", "2026-03-28T00:00:00+01:00", "--count", "3", "--json"]
    out, _ = next_fires(capsys, *words)
    assert json.loads(out) == [
        "2026-03-28T02:30:00+01:00",
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_next_tells_the_words_too(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = next_fires(capsys, "30 2 * * 1-5", "--tz", "Europe/Berlin", "--from", "2026-03-27", "--count", "2")
    assert out.splitlines() == [
        "every weekday at 02:30 Berlin",
        "2026-03-27T02:30:00+01:00  Fri",
        "2026-03-30T02:30:00+02:00  Mon",
    ]


def test_next_reads_saqs_expressions_when_told(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = next_fires(capsys, "0 2 * * * 30", "--saq", "--from", "2026-01-01T00:00Z", "--count", "1", "--json")
    assert json.loads(out) == ["2026-01-01T02:00:30+00:00"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["0 0 30 2 *"], "can never fire"),
        (["bogus"], "five or six fields"),
        (["* * * * *", "--tz", "Mars/Base"], "no time zone 'Mars/Base'"),
        (["* * * * *", "--from", "tomorrow"], "--from 'tomorrow'"),
        (["* * * * *", "--count", "0"], "count 0"),
        (["* * * * *", "--count", "100000"], "count 100000"),
        (["22-2 * * * *"], "Write 22-59,0-2"),
    ],
)
def test_next_refuses_with_one_sentence_and_status_2(
    capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    out, err = next_fires(capsys, *words, status=2)
    assert out == ""
    assert told in err
    assert err.count("\n") == 1


def test_next_needs_no_server(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = next_fires(capsys, "@daily", "--from", "2026-01-01T00:00Z", "--count", "1", "--url", "redis://127.0.0.1:1")
    assert "2026-01-02T00:00:00+00:00" in out


def test_a_schedule_from_its_birth_to_its_end(deck: Deck) -> None:
    assert "Added the schedule nightly" in deck(
        "add", "nightly", "30 2 * * 1-5", "clean", "--tz", "Europe/Berlin", "--arg", "days=30", "--overlap", "queue",
        "--jitter", "30s", "--description", "keeps it small", "--set", "timeout=60",
    )  # fmt: skip
    (row,) = deck.json("list")
    assert (row["name"], row["function"], row["words"]) == ("nightly", "clean", "every weekday at 02:30 Berlin")
    assert (row["origin"], row["overlap"], row["arguments"]) == ("runtime", "queue", '{"days":30}')
    listed = deck()
    assert "every weekday at 02:30 Berlin" in listed
    assert "SCHEDULE" in listed

    assert "Changed expression" in deck("edit", "nightly", "--expression", "0 3 * * *", "--reason", "quieter")
    shown = deck.json("show", "nightly")
    assert shown["row"]["expression"] == "0 3 * * *"
    assert shown["code"]["expression"] == "30 2 * * 1-5"
    assert shown["code"]["options"] == {"timeout": 60}
    assert shown["edits"]["changes"][0]["reason"] == "quieter"
    assert len(shown["fires_ms"]) == 10
    text = deck("show", "nightly")
    assert "quieter" in text
    assert "every day at 03:00 Berlin" in text

    assert "Paused the schedule nightly" in deck("pause", "nightly", "--for", "2h", "--reason", "storm")
    (row,) = deck.json("list")
    assert row["paused"]["reason"] == "storm"
    assert row["paused"]["until_ms"] - row["paused"]["at_ms"] == 2 * 3_600_000
    assert "Resumed" in deck("resume", "nightly")
    assert deck("resume", "nightly", status=2) == ""
    assert "not paused" in deck.err

    assert "will be skipped" in deck("skip", "nightly")
    assert deck.json("list")[0]["skip_next"] is True
    deck("skip", "nightly", "--take-back")
    assert deck.json("list")[0]["skip_next"] is False

    outcome = deck.json("run", "nightly", "--arg", "days=1")
    assert outcome["key"].startswith("cron:nightly:M")
    (run,) = deck.json("ledger", "nightly")
    assert (run["outcome"], run["status"], run["job_key"]) == ("manual", "RUNNING", outcome["key"])
    assert "manual" in deck("ledger")
    assert deck.json("ledger", "--status", "FAILED") == []
    assert deck.json("ledger", "--until", "2020-01-01T00:00Z") == []

    assert "Deleted" in deck("delete", "nightly", "--reason", "done")
    assert deck.json("list") == []
    assert len(deck.json("ledger")) == 1


def test_many_are_paused_and_resumed_at_once(deck: Deck) -> None:
    for name in ("mail-a", "mail-b", "report"):
        deck("add", name, "@hourly", "work")
    assert "Paused 2 schedules" in deck("pause", "mail-*", "--for", "forever")
    paused = {row["name"]: row.get("paused") for row in deck.json("list")}
    assert paused["mail-a"]["until_ms"] is None
    assert paused["report"] is None
    assert "Paused 3 schedules" in deck("pause", "--all")
    assert "Resumed 3 schedules" in deck("resume", "--all")


def test_a_deletion_and_an_edit_can_be_undone(deck: Deck) -> None:
    deck("add", "one", "@hourly", "work")
    undo = deck.json("edit", "one", "--tz", "Asia/Tehran")["undo"]
    assert main(["undo", undo, *deck.where]) == 0
    deck.capsys.readouterr()
    assert deck.json("list")[0]["tz"] == "UTC"
    undo = deck.json("delete", "one")["undo"]
    assert deck.json("list") == []
    assert main(["undo", undo, *deck.where]) == 0
    deck.capsys.readouterr()
    assert [row["name"] for row in deck.json("list")] == ["one"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["add", "x", "0 0 30 2 *", "work"], "can never fire"),
        (["add", "x", "* * * * *", "work", "--tz", "Nowhere"], "no time zone"),
        (["add", "x", "* * * * *", "work", "--set", "speed=3"], "no job setting"),
        (["add", "x", "* * * * *", "work", "--arg", "nonsense"], "name=value"),
        (["add", "x", "* * * * *", "work", "--jitter", "soon"], "no length of time"),
        (["edit", "x"], "Say what to change"),
        (["edit", "x", "--tz", "UTC"], "There is no schedule 'x'"),
        (["delete", "x"], "There is no schedule 'x'"),
        (["skip", "x"], "There is no schedule 'x'"),
        (["run", "x"], "There is no schedule 'x'"),
        (["show", "x"], "There is no schedule 'x'"),
        (["pause", "x"], "There is no schedule 'x'"),
        (["pause"], "Say which schedules"),
        (["pause", "x", "--for", "0"], "no length of time"),
        (["ledger", "--since", "soon"], "not an ISO-8601 time"),
    ],
)
def test_what_is_wrong_is_told_in_one_sentence(deck: Deck, words: list[str], told: str) -> None:
    assert deck(*words, status=2) == ""
    assert told in deck.err
    assert "Traceback" not in deck.err


def test_a_name_taken_is_refused(deck: Deck) -> None:
    deck("add", "one", "@hourly", "work")
    assert deck("add", "one", "@daily", "work", status=2) == ""
    assert "already" in deck.err


def test_a_catch_up_policy_is_given_with_its_bounds(deck: Deck) -> None:
    deck("add", "one", "@hourly", "work", "--catch-up", "all", "--catch-up-max", "5", "--catch-up-window", "2d")
    code = deck.json("show", "one")["code"]
    assert (code["catch_up"], code["catch_up_max"], code["catch_up_window_s"]) == ("all", 5, 172_800)


def test_a_run_is_told_as_a_command_with_its_arguments(deck: Deck) -> None:
    deck("add", "nightly", "0 3 * * *", "sweep", "--arg", "days=3")
    told = deck.json("run", "nightly", "--arg", "days=7", "--arg", "password=hush")["command"]
    assert "schedules run nightly --arg days=7" in told
    assert "hush" not in told


def test_a_run_is_skipped_once(deck: Deck) -> None:
    deck("add", "nightly", "0 3 * * *", "sweep")
    deck("skip", "nightly")
    deck("skip", "nightly", status=2)
    assert "skipped already" in deck.err
    deck("skip", "nightly", "--take-back")
    deck("skip", "nightly")


def test_all_of_none_is_told(deck: Deck) -> None:
    for act in ("pause", "resume"):
        deck(act, "--all", status=2)
        assert "There are no schedules here." in deck.err


def test_the_ledger_tells_a_name_that_nobody_knows_from_one_without_runs(deck: Deck) -> None:
    deck("add", "nightly", "0 3 * * *", "sweep")
    assert deck.json("ledger", "nightly") == []
    deck("ledger", "nihgtly", status=2)
    assert "no schedule 'nihgtly'" in deck.err
    with pytest.raises(SystemExit):
        deck("ledger", "--limit", "-1")


def test_a_window_may_be_for_ever_and_a_jitter_not(deck: Deck) -> None:
    deck("add", "a", "0 3 * * *", "sweep", "--catch-up", "all", "--catch-up-window", "forever")
    assert deck.json("show", "a")["code"]["catch_up_window_s"] > 50 * 365 * 86400
    deck("add", "b", "0 3 * * *", "sweep", "--jitter", "forever", status=2)
    assert "A jitter has an end." in deck.err


@pytest.mark.parametrize("setting", ["timeout=soon", "timeout=-1", "retries=1.5", "meta=5", "retry_backoff=later"])
def test_job_settings_that_no_job_can_have_are_refused(deck: Deck, setting: str) -> None:
    deck("add", "a", "0 3 * * *", "sweep", "--set", setting, status=2)
    assert "its job settings can't be" in deck.err
    assert deck.json("list") == []


@pytest.mark.parametrize(
    "words",
    [
        ["add", "a", "0 3 * * *", "sweep", "--arg", "n=\udcff"],
        ["pause", "a", "--reason", "x\udcff"],
        ["run", "\udcff"],
        ["ledger", "\udcff"],
    ],
)
def test_words_that_are_not_utf8_are_refused(deck: Deck, words: list[str]) -> None:
    deck(*words, status=2)
    assert "is not UTF-8" in deck.err
    deck("pause", "ünï 🦊", status=2)
    assert "There is no schedule 'ünï 🦊'" in deck.err


def test_a_stock_cron_is_paused_under_the_name_that_the_list_shows_without_its_queue(
    deck: Deck, valkey: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    function = deck.queue.replace("-", "_")
    keys, url = keys_of(deck.queue), ["--url", valkey.url]
    with Redis.from_url(valkey.url) as client:
        client.zadd(keys.incomplete, {keys.job(f"cron:{function}"): time.time() + 1000})
        client.zadd(keys.stats, {"saq:a-stock-worker": (time.time() + 1000) * 1000})
        for name in (f"cron:{function}", function):
            assert main(["schedules", "pause", name, "--for", "1m", *url]) == 0
            assert client.zscore(keys.incomplete, keys.job(f"cron:{function}")) is None
            assert main(["schedules", "resume", name, *url]) == 0
            assert not client.exists(keys.abort(f"cron:{function}"))
    assert f"Paused the schedule cron:{function}" in capsys.readouterr().out


def test_a_job_of_a_queue_that_nobody_noted_is_found_by_its_key(deck: Deck, valkey: Any) -> None:
    key = f"key-of-{deck.queue}"
    payload = {"function": "f", "queue": deck.queue, "key": key, "status": "queued", "scheduled": 4_000_000_000}
    keys, url = keys_of(deck.queue), ["--url", valkey.url]
    with Redis.from_url(valkey.url) as client:
        client.set(keys.job(key), json.dumps(payload))
        client.zadd(keys.incomplete, {keys.job(key): 4_000_000_000})
        assert main(["abort", key, *url]) == 0
        assert client.zscore(keys.incomplete, keys.job(key)) is None
