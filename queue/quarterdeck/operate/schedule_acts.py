"""Acts on schedules."""

from __future__ import annotations

from quarterdeck.operate.bridge import Bridge


class ScheduleActs(Bridge):
    """The acts of `model.Operator` that concern schedules."""
