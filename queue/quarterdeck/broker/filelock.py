"""Locks that the kernel keeps (flock): whoever dies, however it dies, lets go of them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


class FileLock:
    """A lock on a file, shared or exclusive, held by the open file and by every process that inherited it.

    The file itself stays: removing it would let two owners lock two files of one name.
    """

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @classmethod
    def adopt(cls, fd: int) -> FileLock:
        """The lock that a parent process holds through `fd` and passed on."""
        lock = cls.__new__(cls)
        lock.fd = fd
        os.set_inheritable(fd, False)
        return lock

    def try_shared(self) -> bool:
        """Hold it together with others; False if somebody holds it alone."""
        return self._try(fcntl.LOCK_SH)

    def try_exclusive(self) -> bool:
        """Hold it alone; False if anybody else holds it."""
        return self._try(fcntl.LOCK_EX)

    def wait_exclusive(self) -> None:
        """Block the calling thread until it is held alone."""
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def close(self) -> None:
        """Let go of it, unless another process inherited it and lives; safe to call twice."""
        if self.fd >= 0:
            with contextlib.suppress(OSError):
                os.close(self.fd)
            self.fd = -1

    def _try(self, operation: int) -> bool:
        try:
            fcntl.flock(self.fd, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
