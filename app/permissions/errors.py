"""Refusals that come from standing and policy.

Forbidden
├── NoContact           no_contact            the subject is bound to nobody in the directory
├── AccountSuspended    account_suspended     bound, but suspended
└── NotPermitted        not_permitted         policy gives this power to others
"""

from app.kit.errors import Forbidden


class NoContact(Forbidden):
    """The token is genuine, but its subject is nobody here (any more)."""

    code, title, title_zh = "no_contact", "The subject is bound to no contact", "该账号未绑定通讯录成员"


class AccountSuspended(Forbidden):
    """The account is bound but suspended."""

    code, title, title_zh = "account_suspended", "The account is suspended", "账号已停用"


class NotPermitted(Forbidden):
    """Policy does not give the caller this power."""

    code, title, title_zh = "not_permitted", "Policy does not permit this", "策略不允许此操作"
