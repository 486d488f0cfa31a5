"""Refusals about long work that was asked for; that too much waits is said where it is asked for (``permissions.jobs``).

Conflict
├── JobFinished    job_finished     it has ended already
└── JobGoesOn      job_goes_on      it finishes what is in force already
"""

from app.kit.errors import Conflict


class JobFinished(Conflict):
    """What is done, failed or cancelled cannot be cancelled."""

    code, title, title_zh = "job_finished", "The job has ended", "任务已结束"


class JobGoesOn(Conflict):
    """What was added and is being filled cannot be taken back by cancelling the filling."""

    code, title, title_zh = (
        "job_goes_on",
        "The job finishes what is in force already",
        "任务执行的是已生效的变更，不能取消",
    )
