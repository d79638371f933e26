"""Kernel locks: shared by many, held by one, passed on to a child, let go by whoever dies."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from quarterdeck.broker.filelock import FileLock


def test_many_share_or_one_holds_alone(tmp_path):
    first, second, third = (FileLock(tmp_path / "lock") for _ in range(3))
    assert first.try_shared()
    assert second.try_shared()
    assert not third.try_exclusive()
    first.close()
    second.close()
    assert third.try_exclusive()
    fourth = FileLock(tmp_path / "lock")
    assert not fourth.try_shared()
    third.close()
    assert fourth.try_shared()
    fourth.close()


def test_closing_twice_is_legal(tmp_path):
    lock = FileLock(tmp_path / "lock")
    lock.close()
    lock.close()


def test_waiting_ends_when_the_holder_lets_go(tmp_path):
    holder, waiter = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert holder.try_shared()
    thread = threading.Thread(target=waiter.wait_exclusive)
    thread.start()
    holder.close()
    thread.join(60)
    assert not thread.is_alive()
    waiter.close()


def test_a_child_that_inherits_it_holds_it_until_it_is_killed(tmp_path):
    lock = FileLock(tmp_path / "lock")
    assert lock.try_exclusive()
    child = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=(lock.fd,)
    )
    lock.close()
    other = FileLock(tmp_path / "lock")
    assert not other.try_exclusive()
    child.kill()
    child.communicate()
    assert other.try_exclusive()
    other.close()


def test_a_child_that_was_not_given_it_does_not_hold_it(tmp_path):
    lock = FileLock(tmp_path / "lock")
    assert lock.try_exclusive()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], **pipes, close_fds=False)
    child.stdout.readline()  # it runs, so its exec has closed what it was not given
    lock.close()
    other = FileLock(tmp_path / "lock")
    assert other.try_exclusive()
    other.close()
    child.kill()
    child.communicate()


def test_an_adopted_lock_is_passed_no_further(tmp_path):
    lock = FileLock(tmp_path / "lock")
    assert lock.try_exclusive()
    os.set_inheritable(lock.fd, True)
    adopted = FileLock.adopt(lock.fd)
    assert not os.get_inheritable(adopted.fd)
    adopted.close()
    other = FileLock(tmp_path / "lock")
    assert other.try_exclusive()
    other.close()
