"""The operator: all groups of acts together, as `model.Operator` has them."""

from __future__ import annotations

from quarterdeck.broker.door import through_the_door
from quarterdeck.operate.feed import FeedActs
from quarterdeck.operate.job_acts import JobActs
from quarterdeck.operate.place_acts import PlaceActs
from quarterdeck.operate.quarantine_acts import QuarantineActs
from quarterdeck.operate.retention_acts import RetentionActs
from quarterdeck.operate.schedule_acts import ScheduleActs
from quarterdeck.operate.timetable_acts import TimetableActs


@through_the_door
class RedisOperator(JobActs, PlaceActs, ScheduleActs, TimetableActs, QuarantineActs, RetentionActs, FeedActs):
    """Acts on a Redis or Valkey server; open it with `open_operator`. Every act may raise UnreachableError."""
