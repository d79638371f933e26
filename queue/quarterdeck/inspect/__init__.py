"""Looking: one round trip → `Snapshot`; pages of jobs; search; `why`."""
