"""How described calls become jobs on a server: the app's queues, opened at first use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from quarterdeck.app.handle import Handle

if TYPE_CHECKING:
    from saq.job import Job

    from quarterdeck.broker.queue import Queue
    from quarterdeck.flow.step import Step


class Outbox:
    """The queues of one server by name. A worker lends its own; otherwise they are opened at first use."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.before: list[Callable[[str, Job], None]] = []
        """Called with the queue's name and each job before it is sent; may add to the job's meta."""
        self._queues: dict[str, Queue] = {}
        self._lent: dict[str, Queue] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def queue(self, name: str) -> Queue:
        """The queue called `name`. Raises UnreachableError when no server is known."""
        if name in self._lent:
            return self._lent[name]
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # connections belong to the loop that made them
            self._queues, self._loop = {}, loop
        if name not in self._queues:
            self._queues[name] = _open(self.url, name)
        return self._queues[name]

    def lend(self, queues: Mapping[str, Queue]) -> None:
        """Send through these from now on; they stay their owner's to close. An empty mapping takes them back."""
        self._lent = dict(queues)

    async def send(self, steps: Iterable[Step]) -> list[Handle[Any]]:
        """Enqueue described calls, in their order on each queue, few round trips for many.

        Raises UnreachableError when the server is away or did not answer in time, QuarterdeckError when it refuses.
        """
        from quarterdeck.broker.door import door
        from quarterdeck.flow.following import job_of

        steps = list(steps)
        handles: dict[int, Handle[Any]] = {}
        for name in dict.fromkeys(step.queue for step in steps):
            queue = self.queue(name)
            chosen = [at for at, step in enumerate(steps) if step.queue == name]
            jobs = [job_of(steps[at], key=steps[at].key or queue.new_key()) for at in chosen]
            for hook in self.before:
                for job in jobs:
                    hook(name, job)
            with door():
                accepted = [await queue.enqueue(jobs[0])] if len(jobs) == 1 else await queue.enqueue_many(jobs)
            for at, job, new in zip(chosen, jobs, accepted, strict=True):
                handles[at] = Handle(queue, job.key, job.function, new=new is not None)
        return [handles[at] for at in range(len(steps))]

    async def close(self) -> None:
        """Close what was opened here; safe to call twice, and sending opens again."""
        queues, self._queues = self._queues, {}
        for queue in queues.values():
            await queue.disconnect()


def _open(url: str | None, name: str) -> Queue:
    """A queue on the app's own URL, else where the settings lead, else on the embedded server that runs."""
    # Importing saq and redis takes a while, and apps are also imported to be looked at.
    from quarterdeck.broker.client import client_of
    from quarterdeck.broker.queue import Queue
    from quarterdeck.broker.whereabouts import server_address
    from quarterdeck.settings import Flags, resolve

    settings = resolve(Flags(url=url))
    address = server_address(settings.url, settings.data_dir)
    return Queue(client_of(address, client_name="quarterdeck-app"), name=name)
