"""The incident note knows what was failing, though it is cured by the time it is written."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from quarterdeck.model import FailureGroup, Page, Snapshot, View
from tui.look.glyphs import UNICODE
from tui.rendering.incident import incident_note
from tui.rendering.moment import Moment
from tui.sightings import Sightings

MOMENT = Moment(1_700_000_000_000, ZoneInfo("UTC"), UNICODE)


def group(signature: str, count: int) -> FailureGroup:
    return FailureGroup(
        id=f"emails/{signature}",
        signature=signature,
        queue="emails",
        function=f"send_{signature}",
        exception="ConnectionError",
        message="smtp:25 refused",
        count=count,
        first_ms=1_699_999_000_000,
        last_ms=1_699_999_900_000,
    )


def snapshot(*groups: FailureGroup, page: Page | None = None) -> Snapshot:
    return Snapshot(taken_ms=MOMENT.now_ms, rtt_ms=1.0, view=View(), groups=groups, page=page)


def test_groups_are_kept_at_their_largest() -> None:
    seen = Sightings()
    for counts in ((3, 1), (532, 2), (0, 3)):
        seen.notice(snapshot(*(group(name, count) for name, count in zip("ab", counts, strict=True) if count)))
    assert [(it.signature, it.count) for it in seen.groups()] == [("a", 532), ("b", 3)]


def test_the_list_of_failures_tells_of_groups_too() -> None:
    seen = Sightings()
    seen.notice(snapshot(page=Page(rows=(group("c", 7),), total=1)))
    assert [it.signature for it in seen.groups()] == ["c"]


def test_what_is_remembered_is_bounded_and_the_present_stays() -> None:
    seen = Sightings()
    for at in range(500):
        seen.notice(snapshot(group("present", 1), group(f"old{at}", 9)))
    names = {it.signature for it in seen.groups()}
    assert len(names) == 200
    assert {"present", "old499"} <= names


def test_the_note_tells_of_what_is_cured() -> None:
    note = incident_note("prod", snapshot(group("b", 2)), [], MOMENT, [group("a", 532), group("b", 5)])
    assert "| send\\_a | 532 | 0 |" in note
    assert "| send\\_b | 5 | 2 |" in note
