"""Rules that set jobs aside: the same match as the operators' preview."""

from __future__ import annotations

import pytest
from saq.job import Job

from quarterdeck.worker.rules import Rules


class FakeQueue:
    name = "emails"


def job(**fields):
    made = Job("send", **fields)
    made.queue = FakeQueue()
    return made


def rules(record: bytes, queue: bytes = b"emails") -> Rules:
    made = Rules()
    made.learn([(queue, b"r1", record)])
    return made


@pytest.mark.parametrize(
    ("record", "matches"),
    [
        (b'{"function":"send"}', True),
        (b'{"function":"sendx"}', False),
        (b'{"function":"send","argument":"\\"to\\":\\"ann\\""}', True),
        (b'{"function":"send","argument":"bob"}', False),
        (b'{"function":"send","error":"refused"}', True),
        (b'{"function":"send","error":"Refused"}', False),
        (b'{"function":"send","error":"Traceback"}', False),
        (b'{"argument":"ann"}', True),
        (b'{"argument":"to=ann"}', True),
        (b'{"argument":"to=an"}', False),
        (b"{}", False),
        (b"garbage", False),
    ],
)
def test_match(record, matches):
    asked = job(kwargs={"to": "ann"}, error="Traceback (most recent call last):\nOSError: refused")
    assert (rules(record).match(asked) is not None) is matches


def test_another_queues_rules_do_not_apply():
    assert rules(b'{"function":"send"}', b"other").match(job()) is None


def test_lifted_rules_are_forgotten():
    made = rules(b'{"function":"send","reason":"why"}')
    found = made.match(job())
    assert (found.id, found.reason) == ("r1", "why")
    made.learn([])
    assert made.match(job()) is None
    assert made.of("emails") == []
