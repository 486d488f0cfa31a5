"""Why the command line does not give what is asked of it. Each says what to do instead.

Forbidden
├── RightByRequest      right_by_request       a right is given by an approved request, never here; names the call
├── OwnerAnswers        owner_answers          somebody answers for this service account and gets its secret
├── NotTheOperators     not_the_operators      a mark that the service set is taken off by what it waits for
└── OneFounder          one_founder            this person was given another office that decides with this one
Conflict
└── StillTooEarly       still_too_early        another operator may do it, but not yet
Invalid
└── CannotBeFounded     cannot_be_founded      an office that is not given at a founding, or nobody in service
"""

from typing import Any

from app.kit.errors import Conflict, Forbidden, Invalid


class RightByRequest(Forbidden):
    """A right is given by an approved request and by nothing else."""

    code, title, title_zh = "right_by_request", "An approved request gives this", "须经审批"

    def __init__(self, call: str, who: str = "", who_zh: str = "", **extensions: Any) -> None:  # noqa: ANN401 — members
        """Name the call, and who files it."""
        said = f"No command gives this right. File a request{f' as {who}' if who else ''}: {call}"
        zh = f"命令行不能授予此权限，请{f'由{who_zh}' if who_zh else ''}提交申请：{call}"
        super().__init__(said, detail_zh=zh, **extensions)


class OwnerAnswers(Forbidden):
    """Whoever answers for a service account has its secret made; an operator who had one would be the service."""

    code, title, title_zh = "owner_answers", "Its owner gets the secret", "由负责人获取密钥"

    def __init__(self, client_id: str) -> None:
        """Name the owner's call."""
        call = f"POST /v1/clients/{client_id}/secrets"
        super().__init__(f"Whoever answers for it gets it: {call}", detail_zh=f"由负责人获取：{call}")


class NotTheOperators(Forbidden):
    """An operator takes off what an operator set; everything else waits for its own end."""

    code, title, title_zh = "not_the_operators", "No operator set this mark", "该标记并非由运维人员设置"

    def __init__(self) -> None:
        """Say what it waits for."""
        super().__init__(
            "It goes when what it waits for is done: POST /v1/requests/{id}/returns, or the answer in the campaign.",
            detail_zh="完成对应事项后自动取消：归还 POST /v1/requests/{id}/returns，或在复核活动中作答。",
        )


class OneFounder(Forbidden):
    """Offices that decide together are four people."""

    code, title, title_zh = (
        "one_founder",
        "This person holds another office that decides with it",
        "此人已担任共同审批的另一职务",
    )


class CannotBeFounded(Invalid):
    """What is given at a founding is a closed list, to people in service."""

    code, title, title_zh = "cannot_be_founded", "This is not given at a founding", "不在初始授权之列"


class StillTooEarly(Conflict):
    """Those who were told need time to object."""

    code, title, title_zh = "still_too_early", "It may not be done yet", "尚未到可执行时间"
