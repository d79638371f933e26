"""Example tasks that do real work on real things in the data directory. Run them with `quarterdeck worker tasks:app`.

One file a family. Importing this package imports them all, so that the app knows every task.
"""

from tasks import backup, cleanup, export, health, mail, metrics, orders, report, traffic, webhook
from tasks.application import app

__all__ = ["app", "backup", "cleanup", "export", "health", "mail", "metrics", "orders", "report", "traffic", "webhook"]
