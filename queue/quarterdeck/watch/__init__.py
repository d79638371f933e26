"""Watching without looking: metrics, alert rules and notifications from the same `Snapshot` as the screen; tracing."""
