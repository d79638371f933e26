"""The app behind the benchmark of the dashboard: one job that does nothing, schedules that only count down."""

from __future__ import annotations

from quarterdeck import App

app = App("bench", queues=("bench",), timeout_s=30)


@app.task(ttl_s=-1)
async def nothing(number: int = 0) -> int:
    """Do nothing."""
    return number


def _at(hour: int) -> None:
    async def task() -> None:
        """Once a day."""

    task.__name__ = f"daily_{hour}"
    app.schedule(f"30 {hour} * * *")(task)


for _hour in range(6):
    _at(_hour)
