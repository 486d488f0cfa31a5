"""Refusals about addresses outside.

Conflict
├── WebhookUnfit             webhook_unfit            a robot's address has no rotation, one that is off has no ping
└── TooManyWebhooks          too_many_webhooks        there are as many addresses as are kept
Invalid
├── WebhookTargetRefused     webhook_target_refused   this service does not call that address
└── WebhookMembers           webhook_members          members that do not belong to this kind of address
"""

from typing import Final

from app.kit.errors import Conflict, FieldError, Invalid
from app.notices.targets import Fault

_FAULTS: Final[dict[Fault, tuple[str, str]]] = {
    "malformed": ("This is no address in its plain form.", "地址格式不正确。"),
    "credentials": ("An address carries no user name or password.", "地址中不得包含用户名或密码。"),
    "scheme": ("Only https addresses are called.", "仅支持 https 地址。"),
    "port": ("This port is not called.", "不允许使用该端口。"),
    "host": ("This is no host name and no address in its plain form.", "主机名格式不正确。"),
    "address": ("This leads to an address that is not public.", "该地址指向非公网地址。"),
}


class WebhookTargetRefused(Invalid):
    """The service does not call that address; whether anything is there is not told."""

    code, title, title_zh = "webhook_target_refused", "The service does not call this address", "不允许向该地址发送通知"

    def __init__(self, fault: Fault) -> None:
        """Point at the address and say what is wrong with it."""
        english, chinese = _FAULTS[fault]
        super().__init__(errors=[FieldError("/url", f"target_{fault}", english, chinese)])


class WebhookMembers(Invalid):
    """What was given does not belong to this kind of address."""

    code, title, title_zh = (
        "webhook_members",
        "These members do not fit this kind of webhook",
        "所填内容与该类型不符",
    )

    def __init__(self, pointer: str, english: str, chinese: str) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, "unfit", english, chinese)])


class WebhookUnfit(Conflict):
    """What was asked for does not go with this address as it is."""

    code, title, title_zh = (
        "webhook_unfit",
        "This webhook is of another kind, or not active",
        "该通知地址类型不符或未启用",
    )


class TooManyWebhooks(Conflict):
    """There are as many addresses as are kept."""

    code, title, title_zh = "too_many_webhooks", "There are as many webhooks as are kept", "通知地址数量已达上限"
