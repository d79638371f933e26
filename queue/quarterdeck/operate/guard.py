"""What a role may do: `view` looks, `retry` brings jobs back, `operate` runs the deck, `admin` destroys too."""

from __future__ import annotations

from typing import Final

from quarterdeck.errors import RefusedError

ROLES: Final = ("view", "retry", "operate", "admin")

NEEDED: Final = {
    "note": "retry",
    "retry": "retry",
    "restore": "retry",
    "undo": "retry",
    "enqueue": "operate",
    "edit-and-retry": "operate",
    "run-now": "operate",
    "abort": "operate",
    "release": "operate",
    "pause": "operate",
    "resume": "operate",
    "skip": "operate",
    "run-schedule": "operate",
    "define-schedule": "operate",
    "quiet": "operate",
    "concurrency": "operate",
    "stack": "operate",
    "bulk": "retry",
    "traffic": "operate",
    "stop": "admin",
    "delete": "admin",
    "quarantine": "operate",
    "retention": "admin",
}
"""The least role for each kind of act."""


class Guard:
    """Refuses what the role does not allow. The screen does not bind those keys; this is the second lock."""

    def __init__(self, role: str = "admin", *, read_only: bool = False) -> None:
        if role not in ROLES:
            raise RefusedError(f"There is no role '{role}'.", f"Use one of {', '.join(ROLES)}.")
        self.role = "view" if read_only else role
        self.read_only = read_only

    def allows(self, act: str) -> bool:
        """Whether this role may do `act`, a key of `NEEDED`."""
        return ROLES.index(self.role) >= ROLES.index(NEEDED[act])

    def require(self, act: str) -> None:
        """Raise RefusedError unless the role may do `act`."""
        if self.allows(act):
            return
        if self.read_only:
            raise RefusedError(f"Read-only: '{act}' is not allowed here.", "Attach without --read-only to act.")
        raise RefusedError(
            f"The role '{self.role}' may not '{act}'.",
            f"It needs the role '{NEEDED[act]}', which the environment's settings give.",
        )
