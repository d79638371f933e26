"""Keys of new jobs are nobody else's."""

from __future__ import annotations

import os

import pytest

from quarterdeck.broker.keymaker import hash_tag, new_key


def test_keys_differ():
    assert len({new_key() for _ in range(1000)}) == 1000


def test_a_forked_child_makes_other_keys():
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(write, new_key().encode())
        os._exit(0)
    os.waitpid(pid, 0)
    mine = new_key()
    theirs = os.read(read, 100).decode()
    os.close(read), os.close(write)
    assert theirs.partition("-")[0] != mine.partition("-")[0]


@pytest.mark.parametrize(
    ("queue", "tag"),
    [
        ("orders", ""),
        ("{orders}", "{orders}"),
        ("a{b}c", "{b}"),
        ("{}x", ""),
        ("a}{", ""),
        ("a{b", ""),
        ("{a}{b}", "{a}"),
    ],
)
def test_the_hash_tag_is_rediss(queue, tag):
    assert hash_tag(queue) == tag
    assert new_key(tag).startswith(tag)
