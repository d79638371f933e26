"""What the terminal costs: bytes, time to paint, and what a bad line does to both.

Run it as a script; ``--app`` points it at another program (``{change}`` becomes nothing, countdowns or all)::

    python tests/benchmarks/terminal_line.py
    python tests/benchmarks/terminal_line.py --app 'python -m tui --url …' --ready 'in/s' --cursor '(?m)^▸(\\S+)'
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shlex
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT.parent), str(ROOT / "benchmarks")]

from terminal_floor import floor_bytes  # noqa: E402
from terminal_lab import Emulator, Feed, Lab, children  # noqa: E402

SAMPLE = f"{sys.executable} {ROOT / 'terminal_sample.py'} --change {{change}}"
SIZES = ((80, 24), (120, 40))
BARS_PER_S = {"nothing": (0, 0), "countdowns": (100, 200), "all": (700, 2000)}


class Bench:
    """One program under test."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.cursor = re.compile(options.cursor)

    def start(self, change: str, extra: str = "", **lab: Any) -> Lab:
        command = self.options.app.replace("{change}", change) + (
            " --plain-driver" if self.options.plain_driver else ""
        )
        started = Lab(shlex.split(f"{command} {extra}"), **lab)
        started.wait_text(self.options.ready, 60)
        return started

    def marked(self, lab: Lab) -> str | None:
        found = self.cursor.search(lab.emulator.text())
        return found[0] if found else None

    # --- bytes ----------------------------------------------------------------------------------------------

    def quiet_bytes(self) -> None:
        for index, size in enumerate(SIZES):
            for change, bars in BARS_PER_S.items():
                with self.start(change, size=size) as lab:
                    lab.settle(0.9 if change == "nothing" else 0.3)
                    time.sleep(1.0)
                    pid = painter(lab)
                    begin, cpu = time.monotonic(), cpu_s(pid)
                    time.sleep(self.options.seconds)
                    seconds, cpu = time.monotonic() - begin, cpu_s(pid) - cpu
                    sent = sum(len(data) for at, data in lab.log if at >= begin)
                    ratio = over_floor(lab, begin)
                name = f"{size[0]}x{size[1]} {change}"
                say(f"bytes/s, {name}", f"{sent / seconds:,.0f}", f"<= {bars[index]:,}")
                say(f"  over the floor, {name}", f"{ratio:.2f}" if ratio else "-", "<= 1.25")
                say(f"  CPU, {name}", f"{100 * cpu / seconds:.1f} %", "<= 4 %")

    def first_paint(self) -> None:
        for size, bar in zip(SIZES, (7, 13), strict=True):
            times, sizes = [], []
            for _ in range(self.options.starts):
                with self.start("nothing", size=size) as lab:
                    lab.settle(0.3)
                    last = lab.log[-1][0]
                    times.append(last - lab.started_at)
                    sizes.append(len(lab.received))
            name = f"{size[0]}x{size[1]}"
            say(f"bytes until the first full paint, {name}", f"{statistics.median(sizes):,.0f}", f"<= {bar},000")
            say(f"  process start to painted, {name}", f"{statistics.median(times) * 1000:.0f} ms", "(sample app)")

    def key_bytes(self) -> None:
        keys = {"arrow": ("\x1b[B", 400), "Tab": ("\t", 400), "PageDown": ("\x1b[6~", 2048)}
        with self.start("nothing", size=(120, 40)) as lab:
            lab.settle(0.3)
            for name, (key, bar) in keys.items():
                costs = []
                for _ in range(5):
                    before = len(lab.received)
                    lab.send(key)
                    lab.settle(0.25)
                    costs.append(len(lab.received) - before)
                say(f"bytes of {name}, 120x40", f"{max(costs):,}", f"<= {bar:,}")

    # --- time -----------------------------------------------------------------------------------------------

    def keys_on(self, name: str, bar: str, **line: Any) -> None:
        with self.start("all", size=(120, 40), **line) as lab:
            lab.settle(0.15, 5.0)
            times = []
            for index in range(self.options.keys):
                time.sleep(1.0 + random.random() * 0.3)
                before = self.marked(lab)
                lab.send("\x1b[A" if index % 2 else "\x1b[B")
                began = time.monotonic()
                lab.wait(lambda before=before: self.marked(lab) != before)
                times.append(time.monotonic() - began)
            worst = max(under_way(lab))
            lab.send(self.options.quit)
            began = time.monotonic()
            lab.wait_exit()
            quit_s = time.monotonic() - began
        times.sort()
        p50, p95 = statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.95))]
        say(f"key to painted p50 / p95, {name}", f"{p50 * 1000:.0f} / {p95 * 1000:.0f} ms", bar)
        say("  quit", f"{quit_s:.2f} s", "<= 0.5 s")
        say("  most bytes without an answer", f"{worst:,}", "<= 2,048")

    def deaf(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            stalls = Path(directory) / "stalls"
            extra = f"--stalls {stalls}" if self.options.app == SAMPLE else ""
            with self.start("all", extra, size=(120, 40)) as lab:
                lab.settle(0.3, 2.0)
                lab.reading = False
                began = time.monotonic()
                for _ in range(self.options.deaf_s):
                    time.sleep(1.0)
                    lab.send("\x1b[B")
                ended = time.monotonic()
                marked, count = self.marked(lab), len(lab.log)
                lab.reading = True
                lab.wait(lambda: self.marked(lab) != marked)
                caught_up = time.monotonic() - ended
                lab.settle(0.1, 1.0)
                sent = sum(len(data) for _, data in lab.log[count:])
            say(f"terminal deaf for {self.options.deaf_s} s: caught up after", f"{caught_up * 1000:.0f} ms", "")
            say("  bytes it got then", f"{sent:,}", "one frame")
            if stalls.exists():
                rows = [tuple(map(float, line.split())) for line in stalls.read_text().splitlines()]
                worst = max(ms for at, ms in rows if began < at < ended)
                say("  longest stall of the event loop", f"{worst:.0f} ms", "<= 100 ms")


def over_floor(lab: Lab, begin: float, quiet_s: float = 0.15) -> float | None:
    """Bytes that arrived after ``begin`` over the floor of each change of the picture."""
    emulator = Emulator(*lab.size)
    feed = Feed(emulator)
    sent = floor = 0
    before: list[Any] | None = None
    last = 0.0
    for at, data in lab.log:
        if at >= begin and (before is None or at - last > quiet_s):
            now = emulator.cells()
            floor += floor_bytes(before, now) if before is not None else 0
            before = now
        feed(data)
        sent += len(data) if at >= begin else 0
        last = at
    if before is not None:
        floor += floor_bytes(before, emulator.cells())
    return sent / floor if floor else None


def under_way(lab: Lab) -> list[int]:
    """Bytes that the terminal had not answered for, at each arrival; the driver knows of fewer answers still."""
    stream = lab.received
    ends = [match.end() for match in re.finditer(rb"\x1b\[6n", stream)]
    return [after - before for before, after in zip([0, *ends], ends, strict=False)] or [0]


def painter(lab: Lab) -> int:
    """The process that paints: the child of the guardian, if there is one."""
    return next(iter(children(lab.pid)), lab.pid)


def cpu_s(pid: int) -> float:
    """Processor time a process has used, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(what: str, figure: str, bar: str) -> None:
    """One line of the table."""
    print(f"{what:<52} {figure:>18}   {bar}", flush=True)


def main() -> None:
    """Run all parts, or those named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="bytes, paint, keys, lines, deaf (default: all)")
    parser.add_argument("--app", default=SAMPLE, help="command line; {change} is replaced")
    parser.add_argument("--ready", default="schedules_1", help="text that says the first screen is there")
    parser.add_argument("--cursor", default=r"(?m)^>\S+", help="expression that finds the cursor's row")
    parser.add_argument("--quit", default="q", help="keys that end it")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--deaf-s", type=int, default=30)
    parser.add_argument("--plain-driver", action="store_true", help="hand --plain-driver to the program")
    bench = Bench(parser.parse_args())
    parts = bench.options.parts or ["bytes", "paint", "keys", "lines", "deaf"]
    if "paint" in parts:
        bench.first_paint()
    if "bytes" in parts:
        bench.quiet_bytes()
    if "keys" in parts:
        bench.key_bytes()
    if "lines" in parts:
        bench.keys_on("full speed", "<= 15 / 40 ms")
        bench.keys_on("10 KB/s, 150 ms", "p95 <= 350 ms", bytes_per_s=10_000, rtt_s=0.15)
        bench.keys_on("2 KB/s, 150 ms", "p95 <= 1,200 ms", bytes_per_s=2_000, rtt_s=0.15)
    if "deaf" in parts:
        bench.deaf()


if __name__ == "__main__":
    main()
