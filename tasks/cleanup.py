"""Files that are too old, or too many, go; orders beyond the bound too."""

from __future__ import annotations

import time
from pathlib import Path

from quarterdeck import current_job
from tasks import shop
from tasks.application import app, folder

KEPT_DAYS = {"backups": 14.0, "exports": 7.0, "reports": 30.0, "outbox": 1.0}
KEPT_FILES = 500


@app.schedule("17 * * * *", name="hourly_cleanup", description="Expired backups, exports, reports and mails")
@app.task(timeout_s=120, expected_s=1)
def clean_up() -> dict[str, int]:
    """Remove what has expired from each folder; how many files went, by folder, and how many orders."""
    log = current_job().log
    removed = {name: remove_expired(folder(name), days) for name, days in KEPT_DAYS.items()}
    with shop.connect() as database:
        removed["orders"] = shop.trim(database)
    log.info("removed %s", ", ".join(f"{count} of {name}" for name, count in removed.items() if count) or "nothing")
    return removed


def remove_expired(directory: Path, days: float, *, keep: int = KEPT_FILES) -> int:
    """Remove files older than `days` and the oldest above `keep`; how many went. The newest file always stays."""
    files = sorted((each for each in directory.iterdir() if each.is_file()), key=lambda each: each.stat().st_mtime)
    oldest = time.time() - days * 86_400
    doomed = [each for at, each in enumerate(files[:-1]) if each.stat().st_mtime < oldest or at < len(files) - keep]
    for each in doomed:
        each.unlink(missing_ok=True)
    return len(doomed)
