"""A dashboard-like app for the terminal's tests and benchmark: five panels of line-API tables and a one-second tick.

Run it as a script. It knows nothing of queues; what it paints depends on ``--change`` alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--change", choices=("nothing", "countdowns", "all"), default="nothing")
    parser.add_argument("--plain-driver", action="store_true")
    parser.add_argument("--guard", action="store_true")
    parser.add_argument("--die", choices=("crash", "task", "thread", "exit", "kill", "hang"), default=None)
    parser.add_argument("--stalls", type=Path, default=None)
    parser.add_argument("--hostile", action="store_true")
    options = parser.parse_args()
    if options.guard:
        from tui.terminal.guardian import guard

        guard()
    from terminal_sample_app import HostileApp, SampleApp

    from tui.terminal.driver import driver_class
    from tui.terminal.manners import run

    driver = driver_class(plain=options.plain_driver)
    if options.hostile:
        return run(HostileApp(driver_class=driver))
    return run(SampleApp(options.change, options.die, options.stalls, driver_class=driver))


if __name__ == "__main__":
    sys.exit(main())
