"""The dashboard against its bars, on real servers, in a real pty. Prints a table: what, figure, bar.

    python tests/benchmarks/dashboard.py                 # all of it, about ten minutes
    python tests/benchmarks/dashboard.py paint keys      # parts

Start-up is measured warm; unset PYTHONDONTWRITEBYTECODE before. Figures hold for the machine and its load at that time,
which the first line shows: compare the bare Textual app of the same run.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

from dashboard_scene import QUEUE, Scene  # noqa: E402
from terminal_lab import Lab  # noqa: E402
from terminal_line import cpu_s, over_floor, painter, say  # noqa: E402

SMALL, LARGE = (80, 24), (120, 40)
DOWN, UP, PAGE_DOWN, END, HOME = "\x1b[B", "\x1b[A", "\x1b[6~", "G", "g"
CURSOR = re.compile(r"(?m)^▸(.*)$")


class Deck(Lab):
    """The dashboard on a scene."""

    def __init__(
        self,
        scene: Scene,
        *words: str,
        size: tuple[int, int] = LARGE,
        watch: str = "",
        home: Path | None = None,
        **line: Any,
    ) -> None:
        program = [str(HERE / "watched_deck.py"), *watch.split()] if watch else ["-m", "tui"]
        self.home = home or scene.place
        self._kept_before = len(self._paintings())
        environ = {"QUARTERDECK_DATA_DIR": str(self.home), "HOME": str(self.home)}
        super().__init__(
            [sys.executable, *program, "--url", scene.url, *words],
            size=size,
            environ=environ,
            cwd=str(HERE.parents[1]),
            **line,
        )

    @property
    def text(self) -> str:
        return self.emulator.text()

    @property
    def cursor(self) -> str | None:
        found = CURSOR.search(self.text)
        return found[1] if found else None

    def key_s(self, key: str, changed: Callable[[], Any] | None = None) -> float:
        """Seconds from a key to the arrival of the bytes that put the cursor elsewhere on the screen."""
        before, began = self.cursor, time.monotonic()
        self.send(key)
        self.wait(changed or (lambda: self.cursor not in {before, None}))
        return self.log[-1][0] - began

    def has_kept(self) -> bool:
        """Whether the first painting is kept for the next start."""
        return len(self._paintings()) > self._kept_before

    def _paintings(self) -> list[Path]:
        return list((self.home / "paintings").glob("*"))

    def rss_mb(self) -> float:
        """Memory of the process that paints, in MB."""
        status = Path(f"/proc/{painter(self)}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def quantiles(times: list[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 in ms."""
    ordered = sorted(times)
    return tuple(1000 * ordered[min(len(ordered) - 1, int(len(ordered) * q))] for q in (0.5, 0.95, 0.99))  # type: ignore[return-value]


def paint(options: argparse.Namespace) -> None:
    """First paint from process start, beside a bare Textual app in the same run; bytes until all rows are there.

    Warm: somebody was here before, so that a first painting is kept. What a start without one takes is told, too.
    """
    with Scene() as scene:
        scene.work()
        for size, bar in ((SMALL, 7), (LARGE, 13)):
            bare, first, frame, rows, sent = [], [], [], [], []
            with Deck(scene, size=size) as deck:
                deck.wait(deck.has_kept)
            for _ in range(options.starts):
                with tempfile.TemporaryDirectory() as nowhere, Deck(scene, size=size, home=Path(nowhere)) as deck:
                    deck.wait(lambda deck=deck: "FAILURES" in deck.text and "help" in deck.text)
                    first.append(deck.log[-1][0] - deck.started_at)
                with Lab([sys.executable, str(HERE / "bare_textual.py")], size=size) as lab:
                    lab.wait_text("bare and painted")
                    bare.append(lab.log[-1][0] - lab.started_at)
                with Deck(scene, size=size) as deck:
                    deck.wait(lambda deck=deck: "FAILURES" in deck.text and "help" in deck.text)
                    frame.append(deck.log[-1][0] - deck.started_at)
                    deck.wait(lambda deck=deck: f"▸{QUEUE}" in deck.text)
                    rows.append(deck.log[-1][0] - deck.started_at)
                    sent.append(sum(len(data) for at, data in deck.log if at <= deck.started_at + rows[-1]))
            name = f"{size[0]}x{size[1]}"
            at, base = statistics.median(frame) * 1000, statistics.median(bare) * 1000
            say(f"first paint, {name}", f"{at:.0f} ms, {at / base:.2f} x bare", "<= 350 ms, <= 2 x")
            say("  a bare Textual app", f"{base:.0f} ms", "")
            say("  the first start of all, nothing kept", f"{statistics.median(first) * 1000:.0f} ms", "")
            say("  rows of the server painted", f"{statistics.median(rows) * 1000:.0f} ms", "")
            say(f"bytes until the first full paint, {name}", f"{statistics.median(sent):,.0f}", f"<= {bar},000")


def embedded(options: argparse.Namespace) -> None:
    """Process start to rows of the embedded server, and to a worker that takes jobs: both are started for it."""
    rows, worker, again = [], [], []
    environ = {"PYTHONPATH": str(HERE)}
    for _ in range(options.starts):
        with tempfile.TemporaryDirectory() as home:
            environ |= {"QUARTERDECK_DATA_DIR": home, "HOME": home}
            command = [sys.executable, "-m", "tui", "--app", "dashboard_app:app"]
            with Lab(command, environ=environ, cwd=str(HERE.parents[1])) as first:
                first.wait(lambda lab=first: "nothing has failed" in lab.emulator.text())
                rows.append(first.log[-1][0] - first.started_at)
                first.wait(lambda lab=first: "0/10" in lab.emulator.text())
                worker.append(first.log[-1][0] - first.started_at)
                with Lab(command, environ=environ, cwd=str(HERE.parents[1])) as second:
                    second.wait(lambda lab=second: "0/10" in lab.emulator.text())
                    again.append(second.log[-1][0] - second.started_at)
                    second.send("\x03")
                    second.wait_exit()
                first.send("\x03")
                first.wait_exit()
            state = Path(home) / "state.json"
            while state.exists():
                time.sleep(0.05)
    say("a fresh embedded server: its rows painted", f"{statistics.median(rows) * 1000:.0f} ms", "")
    say("  its worker shown", f"{statistics.median(worker) * 1000:.0f} ms", "")
    say("  rows and worker in a second dashboard", f"{statistics.median(again) * 1000:.0f} ms", "")


def rest(options: argparse.Namespace) -> None:
    """Bytes a second and CPU: nothing changes, only countdowns do, everything does."""
    scenes: dict[str, tuple[Callable[[Scene], object], tuple[int, int]]] = {
        "nothing": (lambda scene: None, (0, 0)),
        "countdowns": (Scene.idle_schedules, (100, 200)),
        "everything": (Scene.demo, (700, 2_000)),
    }
    for name, (prepare, bars) in scenes.items():
        with Scene() as scene:
            prepare(scene)
            for size, bar in zip((SMALL, LARGE), bars, strict=True):
                with Deck(scene, size=size) as deck:
                    deck.wait(lambda deck=deck: "▸" in deck.text)
                    deck.settle(0.7, 5.0)
                    time.sleep(2.0)
                    begin, cpu = time.monotonic(), cpu_s(painter(deck))
                    time.sleep(options.seconds)
                    seconds, cpu = time.monotonic() - begin, cpu_s(painter(deck)) - cpu
                    sent = sum(len(data) for at, data in deck.log if at >= begin)
                    ratio = over_floor(deck, begin)
                title = f"{name}, {size[0]}x{size[1]}"
                say(f"bytes/s, {title}", f"{sent / seconds:,.0f}", f"<= {bar:,}")
                say("  over the computed floor", f"{ratio:.2f} x" if ratio else "-", "<= 1.25 x")
                say("  CPU", f"{100 * cpu / seconds:.1f} %", "<= 4 %" if size == LARGE else "")


def keys(options: argparse.Namespace) -> None:
    """Bytes that a key costs at 120x40."""
    with Scene() as scene:
        scene.fail(5_000)
        for name, key, view, bar in (
            ("arrow", DOWN, ":jobs failed", 400),
            ("Tab", "\t", ":overview", 400),
            ("PageDown", PAGE_DOWN, ":jobs failed", 2_048),
        ):
            with Deck(scene, "--view", view) as deck:
                deck.wait(lambda deck=deck: deck.cursor)
                deck.settle(0.5, 3.0)
                costs = []
                for _ in range(5):
                    before = len(deck.received)
                    deck.send(key)
                    deck.settle(0.4, 3.0)
                    costs.append(len(deck.received) - before)
                say(f"bytes of {name}, 120x40", f"{statistics.median(costs):,.0f}, most {max(costs):,}", f"<= {bar:,}")


def speed(options: argparse.Namespace) -> None:
    """Key to painted with a worker at full speed beside it."""
    with Scene() as scene:
        scene.full_speed()
        scene.fail(2_000)
        with Deck(scene, "--view", ":jobs failed") as deck:
            deck.wait(lambda: deck.cursor)
            deck.settle(0.2, 3.0)
            done = int(scene.redis.info("stats")["total_commands_processed"])
            began, times = time.monotonic(), []
            for index in range(10 * options.keys):
                time.sleep(0.03 + random.random() * 0.1)
                times.append(deck.key_s(UP if index % 20 >= 10 else DOWN))
            rate = (int(scene.redis.info("stats")["total_commands_processed"]) - done) / (time.monotonic() - began)
        say(
            "key to painted p50 / p95 / p99, worker at full speed",
            "{:.0f} / {:.0f} / {:.0f} ms".format(*quantiles(times)),
            "<= 15 / 40 / 80 ms",
        )
        say("  the server meanwhile", f"{rate:,.0f} commands/s", "")


def lines(options: argparse.Namespace) -> None:
    """Key to painted and quitting over bad lines, everything changing."""
    with Scene() as scene:
        scene.demo()
        for bytes_per_s, bar in ((10_000, 350), (2_000, 1_200)):
            with Deck(scene, size=SMALL, bytes_per_s=bytes_per_s, rtt_s=0.15) as deck:
                deck.wait(lambda deck=deck: "▸" in deck.text, 60)
                deck.settle(0.3, 5.0)
                times = []
                for index in range(2 * options.keys):
                    time.sleep(0.6 + random.random() * 0.6)
                    times.append(deck.key_s(DOWN if index % 4 < 2 else UP))
                deck.send("\x03")
                began = time.monotonic()
                deck.wait_exit()
                ended = time.monotonic() - began
            p50, p95, _ = quantiles(times)
            say(
                f"key to painted p50 / p95, {bytes_per_s / 1000:g} KB/s, 150 ms",
                f"{p50:.0f} / {p95:.0f} ms",
                f"p95 <= {bar:,} ms",
            )
            say("  quit", f"{ended:.2f} s", "<= 0.5 s")


def deaf(options: argparse.Namespace) -> None:
    """A terminal that takes nothing for a while."""
    with Scene() as scene, tempfile.TemporaryDirectory() as directory:
        scene.demo()
        log = Path(directory) / "stalls"
        with Deck(scene, watch=f"{log} 0") as deck:
            deck.wait(lambda: "▸" in deck.text)
            deck.settle(0.3, 3.0)
            deck.reading = False
            began = time.monotonic()
            while time.monotonic() < began + options.deaf_s:
                time.sleep(1.0)
                deck.send(DOWN)
            ended, marked, count = time.monotonic(), deck.cursor, len(deck.log)
            deck.reading = True
            deck.wait(lambda: deck.cursor != marked)
            caught_up = time.monotonic() - ended
            deck.settle(0.1, 1.0)
            sent = sum(len(data) for _, data in deck.log[count:])
        rows = [tuple(map(float, line.split())) for line in log.read_text().splitlines()]
        worst = max((late for at, late in rows if began < at < ended), default=0.0)
        say(f"terminal deaf for {options.deaf_s} s: longest stall of the loop", f"{worst:.0f} ms", "<= 100 ms")
        say("  up to date after", f"{caught_up * 1000:.0f} ms, {sent:,} bytes", "one frame")


def failures(options: argparse.Namespace) -> None:
    """The list of very many failed jobs."""
    with Scene() as scene:
        scene.fail(options.jobs)
        with Deck(scene, "--view", ":jobs failed") as deck:
            new = _ready_s(deck)
            deck.wait(deck.has_kept)
        ready = []
        for _ in range(options.starts):
            with Deck(scene, "--view", ":jobs failed") as deck:
                ready.append(_ready_s(deck))
        say(f"failures, {options.jobs:,}: rows painted", f"{statistics.median(ready):.2f} s", "ready <= 0.6 s")
        say("  the first start of all, nothing kept", f"{new:.2f} s", "")
        with Deck(scene, "--view", ":jobs failed") as deck:
            _ready_s(deck)
            deck.settle(0.3, 3.0)
            pages, ends = [], []
            for _ in range(3 * options.keys):
                pages.append(deck.key_s(PAGE_DOWN, _other_rows(deck)))
                deck.settle(0.05, 0.5)
            for _ in range(options.keys):
                ends.append(deck.key_s(END, _other_rows(deck)))
                deck.settle(0.05, 0.5)
                deck.key_s(HOME, _other_rows(deck))
                deck.settle(0.05, 0.5)
            memory = deck.rss_mb()
        say("  PageDown to rows p95", f"{quantiles(pages)[1]:.0f} ms", "<= 40 ms")
        say("  End to rows p95", f"{quantiles(ends)[1]:.0f} ms", "<= 80 ms")
        say("  memory", f"{memory:.0f} MB", "<= 80 MB")


def _ready_s(deck: Deck) -> float:
    """Seconds from process start to the rows of the failed jobs."""
    deck.wait(lambda: "job-00000000" in deck.text or re.search(r"▸.*ConnectionError", deck.text))
    return deck.log[-1][0] - deck.started_at


def _other_rows(deck: Deck) -> Callable[[], bool]:
    """Whether the body of the list holds other rows, all of them read."""
    before = deck.text.splitlines()[5:12]

    def changed() -> bool:
        now = deck.text.splitlines()[5:12]
        return now != before and all("ConnectionError" in line for line in now)

    return changed


def tail(options: argparse.Namespace) -> None:
    """The log tail while 10,000 lines a second come in; memory from when it holds all the lines it can."""
    with Scene() as scene:
        scene.log(10_000)
        with Deck(scene, "--view", ":logs") as deck:
            deck.wait(lambda: "50,000 lines" in deck.text, 300)
            memory, begin, cpu = deck.rss_mb(), time.monotonic(), cpu_s(painter(deck))
            time.sleep(options.seconds)
            seconds, cpu = time.monotonic() - begin, cpu_s(painter(deck)) - cpu
            sent = sum(len(data) for at, data in deck.log if at >= begin)
            grown = deck.rss_mb()
            times = []
            for index in range(options.keys):
                time.sleep(0.1 + random.random() * 0.2)
                word = " held" if index % 2 == 0 else " following"
                times.append(deck.key_s("s", lambda word=word: word in deck.text))
        say("log tail at 10,000 lines/s: CPU", f"{100 * cpu / seconds:.0f} %", "<= 15 %")
        say("  key p95", f"{quantiles(times)[1]:.0f} ms", "<= 50 ms")
        say("  bytes/s", f"{sent / seconds:,.0f}", "<= 8,000 over SSH")
        say("  memory, and after a while", f"{memory:.0f}, {grown:.0f} MB", "<= 80 MB, flat")


def memory(options: argparse.Namespace) -> None:
    """Growth over 3,600 refreshes, as fast as they go."""
    with Scene() as scene, tempfile.TemporaryDirectory() as directory:
        scene.demo()
        log = Path(directory) / "stalls"
        reads = log.with_suffix(".reads")
        with Deck(scene, watch=f"{log} 0.001") as deck:

            def after(count: int) -> float:
                while not reads.exists() or int(reads.read_text() or 0) < count:
                    time.sleep(0.05)
                return deck.rss_mb()

            early = after(600)
            late = after(600 + options.refreshes)
        say(f"growth of memory over {options.refreshes:,} refreshes", f"{late - early:.1f} MB", "<= 2 MB")


def bulk(options: argparse.Namespace) -> None:
    """Retry 100,000 failed jobs, unpaced, from the dashboard."""
    with Scene() as scene:
        scene.fail(options.bulk)
        scene.redis.config_set("slowlog-log-slower-than", 1_000)
        with Deck(scene, "--view", ":jobs failed") as deck:
            deck.wait(lambda: deck.cursor)
            scene.redis.slowlog_reset()
            deck.send("a")
            deck.wait_text("all that match")
            deck.send("r")
            deck.wait_text("type ")
            deck.send("\x1b[Z" + str(options.bulk) + "\r\t")
            deck.wait(lambda: "[Retry" in deck.text)
            deck.send("\r")
            began = time.monotonic()
            while scene.redis.zcard(f"qd:failed:{QUEUE}"):
                time.sleep(0.02)
                if time.monotonic() > began + 120:
                    break
            seconds = time.monotonic() - began
        slow = [(entry["duration"] / 1000, entry["command"][:60]) for entry in scene.redis.slowlog_get(1_000)]
        longest, command = max(slow, default=(0.0, b""))
        left = scene.redis.zcard(f"qd:failed:{QUEUE}")
        queued = scene.redis.llen(f"saq:{QUEUE}:queued")
        say(f"bulk retry of {options.bulk:,}", f"{seconds:.1f} s, {queued:,} queued, {left} left", "<= 10 s")
        say("  longest single server call", f"{longest:.1f} ms", "<= 20 ms")
        say(f"  it was {command!r}", "", "")


PARTS = {it.__name__: it for it in (paint, embedded, rest, keys, speed, lines, deaf, failures, tail, memory, bulk)}


def main() -> None:
    """Run all parts, or those named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--keys", type=int, default=20)
    parser.add_argument("--deaf-s", type=int, default=30)
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--bulk", type=int, default=100_000)
    parser.add_argument("--refreshes", type=int, default=3_600)
    options = parser.parse_args()
    say("the machine", f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}", "")
    for name in options.parts or PARTS:
        PARTS[name](options)


if __name__ == "__main__":
    main()
