"""What a task author writes against: an app, its tasks, handles of jobs, and the job that runs now."""

from quarterdeck.app.application import App
from quarterdeck.app.context import JobContext, current_job
from quarterdeck.app.dependency import depends
from quarterdeck.app.handle import Handle
from quarterdeck.app.options import TaskOptions
from quarterdeck.app.task import Sending, Task

__all__ = ["App", "Handle", "JobContext", "Sending", "Task", "TaskOptions", "current_job", "depends"]
