"""Watching without looking: metrics, alert rules and notifications, all from the same `Snapshot` as the screen."""
