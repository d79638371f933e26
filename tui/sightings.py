"""What was seen failing while the dashboard was open: by the time the incident note is written it may be cured."""

from __future__ import annotations

from typing import Final

from quarterdeck.model import FailureGroup, Snapshot

_MOST: Final = 200


class Sightings:
    """Failure groups as they were at their largest, at most 200 of them; the one not seen for longest goes first."""

    def __init__(self) -> None:
        self._groups: dict[str, FailureGroup] = {}

    def notice(self, snapshot: Snapshot) -> None:
        """Remember the groups of a snapshot, whatever screen it was taken for."""
        rows = snapshot.page.rows if snapshot.page is not None else ()
        for group in (*snapshot.groups, *(row for row in rows if isinstance(row, FailureGroup))):
            before = self._groups.pop(group.id, group)
            self._groups[group.id] = group if group.count >= before.count else before
        while len(self._groups) > _MOST:
            del self._groups[next(iter(self._groups))]

    def groups(self) -> tuple[FailureGroup, ...]:
        """Those remembered, the largest first."""
        return tuple(sorted(self._groups.values(), key=lambda group: -group.count))
