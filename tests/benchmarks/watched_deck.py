"""`python -m tui` with a watch on its event loop, for the benchmark of the dashboard.

    python watched_deck.py LOG INTERVAL_S [flags of the dashboard]

LOG gets a line for each turn of a 5 ms clock that came more than 10 ms late: when (monotonic s), by how much (ms).
INTERVAL_S above 0 replaces the rest between two reads; the count of reads is kept in LOG.reads.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

LOG, INTERVAL_S = Path(sys.argv[1]), float(sys.argv[2])
sys.argv[1:3] = []


async def watch() -> None:
    """Sleep 5 ms at a time, and write down when that took much longer."""
    with LOG.open("a", buffering=1) as log:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.005)
            late_ms = (time.monotonic() - before - 0.005) * 1000
            if late_ms > 10:
                log.write(f"{before} {late_ms:.1f}\n")


def main() -> int:
    """Open the dashboard with the watch in its loop."""
    import tui.app
    from tui.__main__ import entry

    class Watched(tui.app.Deck):
        """The dashboard, watched."""

        reads = 0

        async def on_mount(self) -> None:
            self._watching = asyncio.create_task(watch())

        def _interval_s(self) -> float:
            return INTERVAL_S or super()._interval_s()

        def on_snapshot_ready(self, message: tui.app.SnapshotReady) -> None:
            super().on_snapshot_ready(message)
            self.reads += 1
            if INTERVAL_S and self.reads % 50 == 0:
                LOG.with_suffix(".reads").write_text(str(self.reads))

    tui.app.Deck = Watched
    return entry()


if __name__ == "__main__":
    sys.exit(main())
