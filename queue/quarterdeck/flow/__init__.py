"""Jobs that follow jobs, and guards around what jobs do.

`chain`, `group`, `chord`, `branch` and `saga` describe what follows a job. The description travels inside the job and
what follows is enqueued by the script that finishes it, so that a crash can't lose it. `CircuitBreaker` and `once`
keep their state on the server.
"""

from quarterdeck.flow.breaker import CircuitBreaker, CircuitOpenError
from quarterdeck.flow.compose import Flow, branch, chain, chord, group, saga
from quarterdeck.flow.once import Claim, ClaimedError, once
from quarterdeck.flow.step import Step

__all__ = [
    "CircuitBreaker",
    "CircuitOpenError",
    "Claim",
    "ClaimedError",
    "Flow",
    "Step",
    "branch",
    "chain",
    "chord",
    "group",
    "once",
    "saga",
]
