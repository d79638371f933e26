"""Celery: its thread pool in one process, no gossip, results kept in Redis."""

from __future__ import annotations

from typing import Any

from celery import Celery

from quarterdeck.cli.benching.load import Load, play


def _app(load: Load) -> Any:
    url = load.url.replace("unix://", "redis+socket://")
    app = Celery("bench", broker=url, backend=url)
    app.conf.update(
        task_default_queue=load.queue,
        worker_prefetch_multiplier=4,
        task_ignore_result=False,
        worker_hijack_root_logger=False,
    )
    app.task(name="noop")(noop)
    return app


def noop() -> None:
    """Do nothing."""
    from quarterdeck.cli.benching.meter import tick

    tick()


def fill(load: Load) -> None:
    """Enqueue one by one: there is no bulk call."""
    app = _app(load)
    task = app.tasks["noop"]
    for _ in range(load.jobs):
        task.delay()


def work(load: Load) -> None:
    """Run a worker."""
    words = ["--pool", "threads", "--concurrency", str(load.concurrency), "--loglevel", "WARNING"]
    _app(load).worker_main(["worker", *words, "--without-gossip", "--without-mingle", "--without-heartbeat"])


if __name__ == "__main__":
    play(fill, work)
