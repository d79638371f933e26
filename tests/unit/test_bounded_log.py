"""A log that stays small, and its tail."""

from __future__ import annotations

import os

from quarterdeck.broker.bounded_log import BoundedLog, tail


def test_it_never_takes_more_than_two_files_of_its_limit(tmp_path):
    log = BoundedLog(tmp_path / "x.log", limit=100)
    for number in range(100):
        log.write(b"line %03d\n" % number)
    log.close()
    log.close()
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) <= 100
    assert tail(tmp_path / "x.log", 1) == ["line 099"]


def test_it_goes_on_where_an_earlier_process_ended(tmp_path):
    for word in (b"one\n", b"two\n"):
        log = BoundedLog(tmp_path / "x.log")
        log.write(word)
        log.close()
    assert tail(tmp_path / "x.log") == ["one", "two"]


def test_what_the_disk_does_not_take_is_dropped(tmp_path):
    log = BoundedLog(tmp_path / "x.log")
    log.close()
    log._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115, PTH123
    log.write(b"lost")
    log.close()


def test_the_tail_of_nothing_and_of_garbage(tmp_path):
    assert tail(tmp_path / "none") == []
    (tmp_path / "x").write_bytes(os.urandom(0) + b"\xff\xfe\nlast")
    assert tail(tmp_path / "x", 1) == ["last"]
