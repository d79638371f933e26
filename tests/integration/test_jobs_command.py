"""`quarterdeck jobs`: what it lists is what was asked for, and what can't be read it says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from quarterdeck.cli import main
from quarterdeck.keys import QueueKeys, keys_of
from quarterdeck.record import HistoryEntry, encode_history


@pytest.fixture
def keys(valkey: Any, queue_name: str) -> Iterator[QueueKeys]:
    """A queue with a history of attempts: a job that was retried and then completed, one that failed, one aborted."""
    names, now = keys_of(queue_name), time.time_ns() // 1_000_000
    attempts = [("j1", "retried"), ("j2", "failed"), ("j1", "retried"), ("j3", "aborted"), ("j1", "complete")]
    with Redis.from_url(valkey.url) as client:
        for number, (key, status) in enumerate(attempts):
            entry = HistoryEntry(key=key, function=f"send_{key}", status=status, attempt=number, finished_ms=now)
            client.xadd(names.history, {"r": encode_history(entry)})
        yield names


@pytest.fixture
def told(valkey: Any, queue_name: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs `quarterdeck jobs WORDS`; returns exit status, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        status = main(["jobs", *words, "--url", valkey.url, "--queue", queue_name])
        return (status, *capsys.readouterr())

    return run


def test_complete_jobs_are_those_that_completed_and_no_attempt_before(told: Any, keys: QueueKeys) -> None:
    status, out, err = told("--state", "complete")
    assert status == 0
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["complete", "send_j1"]]
    assert "1-1 of 1" in err


def test_complete_jobs_are_filtered_on(told: Any, keys: QueueKeys) -> None:
    page = json.loads(told("--state", "complete", "--filter", "fn:j1 OR fn:j2", "--json")[1])
    assert [row["key"] for row in page["rows"]] == ["j1"]
    assert told("--state", "complete", "--filter", "fn:j2")[1].count("\n") == 1


def test_a_filter_that_cannot_be_read_is_told_by_the_place_in_it(told: Any, keys: QueueKeys) -> None:
    status, _, err = told("--state", "complete", "--filter", "age>")
    assert status == 2
    assert "at character 1" in err


def test_what_cannot_be_read_is_named_on_stderr(told: Any, keys: QueueKeys, valkey: Any) -> None:
    with Redis.from_url(valkey.url) as client:
        client.sadd(keys.failed_of_function("send"), "x")
        status, out, err = told("--state", "failed", "--filter", "fn:=send")
        client.delete(keys.failed_of_function("send"))
    assert status == 0
    assert f"Not all can be read: {keys.failed_of_function('send')} is of a wrong type (set)." in err
    assert len(out.splitlines()) == 1
    assert "can be read" not in told("--state", "failed", "--filter", "fn:=send")[2]
