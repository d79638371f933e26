"""The acting commands: what they print, what they leave behind, what they end with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from quarterdeck import keys
from quarterdeck.cli import main
from quarterdeck.keys import keys_of
from quarterdeck.record.entry import FailedJob, SignatureRow, encode_failed
from quarterdeck.script import Script, load

AT_MS = 1_700_000_000_000
PUT = "put_failed(names_of(ARGV[1]), ARGV[2], ARGV[3], 'cafe00cafe00', ARGV[4], 'send', ARGV[5], ARGV[6])"

Command = Callable[..., int]


async def _seed(url: str, queue: str, count: int) -> None:
    client = Redis.from_url(url)
    sources = [load("quarterdeck.record", name).source for name in ("names", "failed")]
    put = Script("put", "\n".join([*sources, PUT]))
    row = encode_failed(FailedJob(function="send", signature="cafe00cafe00", at_ms=AT_MS, error="OSError: refused"))
    signature = msgspec.json.encode(SignatureRow(function="send", exception="OSError", message="refused", first_ms=1))
    for number in range(count):
        key = f"job-{number}"
        payload = json.dumps({"function": "send", "queue": queue, "key": key, "status": "failed"})
        await put(client, [], [queue, key, AT_MS + number, signature, row, payload])
    await client.sadd(keys.QUEUES, queue)
    await client.aclose()


def read(url: str, *command: Any) -> Any:
    async def go() -> Any:
        client = Redis.from_url(url)
        try:
            return await client.execute_command(*command)
        finally:
            await client.aclose()

    return asyncio.run(go())


@pytest.fixture
def quarterdeck(valkey: Any, queue_name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Command:
    """Runs a command in this process on five failed jobs; the exit status."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path / "data"))
    asyncio.run(_seed(valkey.url, queue_name, 5))
    return lambda *words: main([words[0], "--url", valkey.url, "--queue", queue_name, *words[1:]])


def test_a_dry_run_counts_and_touches_nothing(
    quarterdeck: Command, valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quarterdeck("retry", "--all", "--dry-run", "--json") == 0
    card = json.loads(capsys.readouterr().out)
    assert (card["count"], card["exact"], card["functions"]) == (5, True, [{"name": "send", "count": 5}])
    assert read(valkey.url, "ZCARD", keys_of(queue_name).failed) == 5


def test_all_of_a_group_are_retried_and_the_progress_is_told(
    quarterdeck: Command, valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quarterdeck("retry", "--signature", "cafe00cafe00", "--yes", "--reason", "fixed") == 0
    told = capsys.readouterr().err
    assert "retry: 5 jobs" in told
    assert f"{queue_name}: done 5/5" in told
    assert read(valkey.url, "LLEN", keys_of(queue_name).queued) == 5


def test_jobs_are_named_by_key_and_what_was_skipped_shows_in_the_exit_status(
    quarterdeck: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quarterdeck("retry", "job-1") == 0
    assert capsys.readouterr().out == "Retried job-1.\n"
    assert quarterdeck("retry", "job-1", "job-2") == 1
    assert "Skipped 1: the same key is queued already." in capsys.readouterr().out


def test_delete_tells_how_to_take_it_back_and_undo_does(
    quarterdeck: Command, valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quarterdeck("delete", "job-0", "job-1") == 0
    undo = capsys.readouterr().err.rpartition(" ")[2].strip()
    assert read(valkey.url, "ZCARD", keys_of(queue_name).failed) == 3
    assert quarterdeck("undo", undo) == 0
    assert read(valkey.url, "ZCARD", keys_of(queue_name).failed) == 5
    assert quarterdeck("undo", undo) == 2
    assert "nothing to undo" in capsys.readouterr().err


def test_a_rule_is_added_listed_and_released(quarterdeck: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert quarterdeck("quarantine", "add", "--function", "send", "--argument", "bad", "--json") == 0
    rule = json.loads(capsys.readouterr().out)["key"]
    assert quarterdeck("quarantine", "list") == 0
    assert f"{rule}  " in capsys.readouterr().out
    assert quarterdeck("quarantine", "release", rule) == 1  # it held nothing
    assert quarterdeck("quarantine", "release", rule) == 2
    assert "has no rule" in capsys.readouterr().err


def test_bulk_operations_are_listed_and_one_that_is_over_cannot_be_stopped(
    quarterdeck: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    quarterdeck("retry", "--all", "--yes")
    capsys.readouterr()
    assert quarterdeck("bulk", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["state"], row["done"]) == ("done", 5)
    assert quarterdeck("bulk", "stop", row["id"].rpartition("/")[2]) == 2
    assert "is over" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("retry",), "Nothing says which jobs are meant"),
        (("retry", "--all"), "Add --yes"),
        (("retry", "--filter", "fn:(", "--yes"), "can't be read at character 1"),
        (("abort", "--all", "--state", "failed"), "invalid choice"),
        (("delete", "--all", "--read-only", "--yes"), "Read-only"),
        (("bulk", "stop"), "Which bulk operation"),
        (("bulk", "stop", "nosuch"), "There is no bulk operation 'nosuch'"),
        (("retry", "--all", "--pace", "paced", "--per-s", "0", "--yes"), "'0' is not a number from 0.001 up"),
        (("retry", "--all", "--pace", "canary", "--trip-rate", "5", "--yes"), "not a number from 0 to 1"),
        (("enqueue", "send", "--delay", "-3"), "not a number from 0 up"),
        (("enqueue", "send", "--retries", "0"), "not a number from 1 to"),
        (("quarantine", "add"), "needs a function"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_sentence(
    quarterdeck: Command,
    valkey: Any,
    queue_name: str,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    says: str,
) -> None:
    try:
        status = quarterdeck(*words)
    except SystemExit as ended:
        status = int(str(ended.code))
    assert status == 2
    assert says in capsys.readouterr().err
    assert read(valkey.url, "ZCARD", keys_of(queue_name).failed) == 5


@pytest.mark.parametrize(
    ("environ", "typed", "left"),
    [
        ({}, "yes", 0),
        ({}, "no", 5),
        ({"QUARTERDECK_CONFIRM_ABOVE": "4"}, "yes", 5),
        ({"QUARTERDECK_CONFIRM_ABOVE": "4"}, "5", 0),
        ({"QUARTERDECK_ENV": "prod"}, "yes", 5),
        ({"QUARTERDECK_ENV": "prod"}, "5", 0),
    ],
)
def test_above_the_bound_or_in_a_protected_environment_the_count_must_be_typed(
    environ: dict[str, str],
    typed: str,
    left: int,
    valkey: Any,
    queue_name: str,
    quarterdeck: Command,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Any,
) -> None:
    (tmp_path / "quarterdeck.toml").write_text(f'[env.prod]\nurl = "{valkey.url}"\nprotected = true\n')
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    asked: list[str] = []

    def answer(prompt: str) -> str:
        asked.append(prompt)
        return typed

    monkeypatch.setattr("builtins.input", answer)
    place = [] if "QUARTERDECK_ENV" in environ else ["--url", valkey.url]
    status = main(["retry", *place, "--queue", queue_name, "--all"])
    assert status == (1 if left else 0)
    assert read(valkey.url, "ZCARD", keys_of(queue_name).failed) == left
    assert ("in prod?" in asked[0]) == bool(not place)


def test_without_a_server_it_says_where_it_looked(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QUARTERDECK_DATA_DIR", str(tmp_path / "data"))
    assert main(["note", "hello"]) == 3
    assert "the embedded one is not running" in capsys.readouterr().err


def test_a_key_is_found_in_whatever_queue_it_is(
    quarterdeck: Command, valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = f"{queue_name}-other"
    place = ["--url", valkey.url, "--queue", queue_name, "--queue", other]  # other tests' queues have such keys too
    asyncio.run(_seed(valkey.url, other, 1))
    assert main(["retry", *place, "job-3", "job-4"]) == 0
    assert read(valkey.url, "ZCARD", keys_of(queue_name).failed) == 3
    assert main(["retry", *place, "job-0"]) == 2
    assert f"a job in {queue_name} and in {other}. Name the queue" in capsys.readouterr().err
    assert main(["retry", *place, "nowhere"]) == 2
    assert "There is no job 'nowhere'" in capsys.readouterr().err


def test_what_is_found_on_one_queue_makes_no_bulk_operation_on_another(
    quarterdeck: Command, valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(_seed(valkey.url, f"{queue_name}-idle", 0))
    assert main(["retry", "--url", valkey.url, "--filter", f"q:={queue_name}", "--yes", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["queue"], row["done"]) == (queue_name, 5)
    assert main(["retry", "--url", valkey.url, "--filter", f"q:={queue_name}", "--yes"]) == 1
    assert "Nothing matches" in capsys.readouterr().err


def test_an_enqueued_job_is_named_and_a_queue_that_nobody_serves_too(
    quarterdeck: Command, queue_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quarterdeck("enqueue", "send", "--key", "k7", "to=ann", "--delay", "0") == 0
    told = capsys.readouterr()
    assert told.out.startswith(f"k7 on {queue_name}\n")
    assert f"No live worker serves the queue {queue_name}" in told.err
