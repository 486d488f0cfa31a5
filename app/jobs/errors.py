"""Refusals about long work that was asked for; that too much waits is said where it is asked for (``permissions.jobs``).

Conflict
└── JobFinished    job_finished     it has ended already
"""

from app.kit.errors import Conflict


class JobFinished(Conflict):
    """What is done, failed or cancelled cannot be cancelled."""

    code, title, title_zh = "job_finished", "The job has ended", "任务已结束"
