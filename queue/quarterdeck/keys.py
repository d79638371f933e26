"""Every key name in Redis or Valkey: SAQ's and ours.

SAQ's names are those of saq 0.26 (`saq/queue/redis.py`). Ours put the kind before the queue's name, so that a queue
named `a:failed` can't collide with another queue's key; names with a free second part carry the length of the
queue's name. A queue name with a hash tag (`{orders}`) keeps all keys of a queue in one cluster slot.
`docs/redis-keys.md` says what each key holds.
"""

from __future__ import annotations

from functools import lru_cache

ABORT_PREFIX = "saq:abort:"
JOB_PREFIX = "saq:job:"

AUDIT = "qd:audit"
"""Stream of what operators did, deployment-wide."""
OPERATORS = "qd:operators"
"""Hash: operator id → who is attached, from where, since when, last seen (JSON)."""
QUEUES = "qd:queues"
"""Set of the names of queues that a deck worker, a recorder or an operator has met."""
TRAFFIC = "qd:demo:traffic"
"""String: the demo's traffic level (off, low, normal, high), read by its traffic schedule."""


class QueueKeys:
    """The key names of one queue; attributes are complete key names, methods take what varies."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        # SAQ's own.
        self.queued = f"saq:{queue}:queued"
        self.active = f"saq:{queue}:active"
        self.incomplete = f"saq:{queue}:incomplete"
        self.schedule_lock = f"saq:{queue}:schedule"
        self.sweep_lock = f"saq:{queue}:sweep"
        self.stats = f"saq:{queue}:stats"
        # Ours: the engine.
        self.owner = f"qd:owner:{queue}"
        self.lease = f"qd:lease:{queue}"
        self.fence = f"qd:fence:{queue}"
        self.workers = f"qd:workers:{queue}"
        self.ownerless = f"qd:ownerless:{queue}"
        self.crashes = f"qd:crashes:{queue}"
        self.orphans = f"qd:orphans:{queue}"
        self.folded = f"qd:folded:{queue}"
        self.paused = f"qd:paused:{queue}"
        self.quarantine = f"qd:quarantine:{queue}"
        self.garbage = f"qd:garbage:{queue}"
        self.rules = f"qd:rules:{queue}"
        self.held = f"qd:held:{queue}"
        # Ours: the record.
        self.history = f"qd:history:{queue}"
        self.failed = f"qd:failed:{queue}"
        self.failed_rows = f"qd:failed-rows:{queue}"
        self.failed_jobs = f"qd:failed-jobs:{queue}"
        self.signatures = f"qd:signatures:{queue}"
        self.signature_rows = f"qd:signature-rows:{queue}"
        self.retention = f"qd:retention:{queue}"
        self.recorded = f"qd:recorded:{queue}"
        self.logs = f"qd:logs:{queue}"
        # Ours: schedules.
        self.schedules = f"qd:schedules:{queue}"
        self.schedule_edits = f"qd:schedule-edits:{queue}"
        self.schedule_states = f"qd:schedule-states:{queue}"
        self.schedule_due = f"qd:schedule-due:{queue}"
        self.schedule_runs = f"qd:schedule-runs:{queue}"
        self.schedule_open = f"qd:schedule-open:{queue}"
        self.schedule_waiting = f"qd:schedule-waiting:{queue}"
        self.schedule_cancels = f"qd:schedule-cancels:{queue}"
        self.schedule_broken = f"qd:schedule-broken:{queue}"
        self.stock_crons = f"qd:stock-crons:{queue}"
        self.ledger = f"qd:ledger:{queue}"
        # Ours: operations.
        self.bin = f"qd:bin:{queue}"
        self.bin_jobs = f"qd:bin-jobs:{queue}"
        self.bulks = f"qd:bulks:{queue}"

    def job(self, key: str) -> str:
        """SAQ's job id of the job key `key`: the string that holds its payload."""
        return f"{JOB_PREFIX}{self.queue}:{key}"

    def job_key(self, job_id: str) -> str:
        """The job key in SAQ's job id, the inverse of `job`."""
        return job_id[len(JOB_PREFIX) + len(self.queue) + 1 :]

    def abort(self, key: str) -> str:
        """SAQ's abort marker of a job key. SAQ does not put the queue's name into it."""
        return f"{ABORT_PREFIX}{key}"

    def worker_info(self, worker: str) -> str:
        """SAQ's own record of a worker, for stock clients."""
        return f"saq:{self.queue}:worker_info:{worker}"

    def minute(self, minute: int) -> str:
        """Hash of one minute's counts; `minute` is epoch seconds // 60."""
        return f"qd:minute:{self.queue}:{minute}"

    def hour(self, hour: int) -> str:
        """Hash of one hour's counts; `hour` is epoch seconds // 3600."""
        return f"qd:hour:{self.queue}:{hour}"

    def control(self, worker: str) -> str:
        """List of commands for one worker, oldest first."""
        return self._compound("control", worker)

    def log(self, key: str) -> str:
        """List of one job's log lines, oldest first."""
        return self._compound("log", key)

    def failed_of_signature(self, signature: str) -> str:
        """Sorted set of failed job keys with this signature, by time of failure in ms."""
        return self._compound("failed-sig", signature)

    def failed_of_function(self, function: str) -> str:
        """Sorted set of failed job keys of this function, by time of failure in ms."""
        return self._compound("failed-fn", function)

    def schedule_history(self, name: str) -> str:
        """Sorted set of one schedule's run ids, by tick in ms."""
        return self._compound("schedule-ledger", name)

    def schedule_missed(self, name: str) -> str:
        """Sorted set of the run ids of one schedule that were late or not run though nobody wanted that, by tick."""
        return self._compound("schedule-missed", name)

    def bulk(self, bulk_id: str) -> str:
        """List or set of job keys that a bulk operation still has before it."""
        return self._compound("bulk", bulk_id)

    def group(self, group_id: str) -> str:
        """Hash of a flow's group: what is left, the results so far, what follows."""
        return self._compound("group", group_id)

    def _compound(self, kind: str, rest: str) -> str:
        return f"qd:{kind}:{len(self.queue)}:{self.queue}:{rest}"


def breaker(name: str) -> str:
    """Hash of a circuit breaker's state, deployment-wide."""
    return f"qd:breaker:{name}"


def once(name: str) -> str:
    """String: who does something that shall be done once, or its result; deployment-wide."""
    return f"qd:once:{name}"


def undo(undo_id: str) -> str:
    """String that expires: how an act is taken back."""
    return f"qd:undo:{undo_id}"


@lru_cache(maxsize=1024)
def keys_of(queue: str) -> QueueKeys:
    """The key names of the queue named `queue`."""
    return QueueKeys(queue)
