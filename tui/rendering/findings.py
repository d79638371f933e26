"""All that is wrong, and the server behind it."""

from __future__ import annotations

from quarterdeck.model import Level, Snapshot
from quarterdeck.text import human_age, human_bytes
from tui.rendering.block import Block, block, pairs
from tui.rendering.lines import Runs
from tui.rendering.moment import Moment

_STYLES = {Level.OK: "ok", Level.NOTICE: "note", Level.WARNING: "warn", Level.BAD: "bad"}


def finding_blocks(snapshot: Snapshot, moment: Moment) -> list[Block]:
    """Every finding of the verdict, the worst first, with where to look; bulk operations; the server."""
    server = snapshot.server
    memory = human_bytes(server.memory_bytes) if server.memory_bytes else ""
    limit = f" of {human_bytes(server.memory_limit_bytes)}" if server.memory_limit_bytes else ""
    facts = pairs(
        moment,
        ("version", server.version),
        ("role", server.role),
        ("memory", memory + limit),
        ("eviction", server.policy, "" if server.policy in {"", "noeviction"} else "bad"),
        ("clients", str(server.clients) if server.clients else ""),
        ("round trip", f"{snapshot.rtt_ms:.1f} ms"),
        ("schedules", str(snapshot.schedule_count) if snapshot.schedule_count else ""),
    )
    warnings = tuple(((moment.text(warning, 500), "warn"),) for warning in server.warnings)
    return [
        block("what is wrong", _findings(snapshot, moment) or [(("nothing", "ok"),)]),
        block("server", (*warnings, *facts)),
    ]


def _findings(snapshot: Snapshot, moment: Moment) -> list[Runs]:
    lines: list[Runs] = []
    for finding in snapshot.verdict.findings:
        since = f"  since {moment.clock_time(finding.since_ms)}" if finding.since_ms else ""
        age = f" ({human_age(moment.age_ms(finding.since_ms))})" if finding.since_ms else ""
        where = f"  :{finding.view.lstrip(':')}" if finding.view else ""
        style = _STYLES[finding.level]
        lines.append(
            ((f"{finding.level!s:<8} ", style), (moment.text(finding.text, 300), ""), (since + age + where, "muted"))
        )
    return lines
