"""Schedules: cron expressions and their fire times, the scheduler, and the ledger of runs."""
