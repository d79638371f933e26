"""Backups of the shop's database: a consistent copy, compressed, and read back before it counts."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from quarterdeck import current_job
from tasks import shop
from tasks.application import app, folder


class BackupError(Exception):
    """A backup that does not read back as what was saved."""


@app.schedule("0 2 * * *", name="nightly_backup", tz="Europe/Berlin", description="A verified copy of the shop")
@app.task(queue="reports", timeout_s=600, retries=2, retry_delay_s=60, unique="backup", expected_s=5)
def backup_database() -> dict[str, Any]:
    """Copy the database while it is in use, compress the copy, verify it, and return what was saved."""
    log = current_job().log
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    target = folder("backups") / f"shop-{stamp}.sqlite3.gz"
    with tempfile.TemporaryDirectory(dir=folder("backups")) as scratch:
        copy = Path(scratch) / "copy.sqlite3"
        saved = _copy(copy)
        packed = Path(scratch) / "copy.gz"
        with copy.open("rb") as plain, gzip.open(packed, "wb", compresslevel=6) as out:
            shutil.copyfileobj(plain, out)
        log.info("copied %d orders, %d bytes compressed", saved, packed.stat().st_size)
        found = verify(packed)
        if found != saved:
            raise BackupError(f"the backup holds {found} orders, {saved} were saved")
        packed.rename(target)
    log.info("verified %s", target.name)
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    return {"file": target.name, "orders": saved, "bytes": target.stat().st_size, "sha256": digest}


def _copy(target: Path) -> int:
    """SQLite's own online backup: consistent while others write. How many orders the copy holds."""
    with shop.connect() as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
        return int(copy.execute("SELECT count(*) FROM orders").fetchone()[0])


def verify(packed: Path) -> int:
    """Read a compressed backup back and return its number of orders. Raises BackupError when it is damaged."""
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "restored.sqlite3"
        try:
            with gzip.open(packed) as source, plain.open("wb") as out:
                shutil.copyfileobj(source, out)
            with closing(sqlite3.connect(plain)) as database:
                (verdict,) = database.execute("PRAGMA integrity_check").fetchone()
                if verdict != "ok":
                    raise BackupError(f"{packed.name}: {verdict}")
                return int(database.execute("SELECT count(*) FROM orders").fetchone()[0])
        except (OSError, EOFError, sqlite3.DatabaseError) as error:
            raise BackupError(f"{packed.name} can't be read back: {error}") from error
