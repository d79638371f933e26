"""The end of an embedded server, waited for."""

from __future__ import annotations

import threading


def wait_for_end(home, name="supervisor"):
    """Block until nobody holds the lock `name` any more; the supervisor lets go of its own last."""
    lock = home.lock(name)
    thread = threading.Thread(target=lock.wait_exclusive, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), f"{name} did not end"
    lock.close()
