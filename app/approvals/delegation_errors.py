"""Refusals about who decides for whom, and about who is who.

Conflict
├── DelegationRing        delegation_ring        decisions would come back to whoever gave them away
├── DelegationTooDeep     delegation_too_deep    they would be handed on more than twice
└── TooManyDelegations    too_many_delegations   somebody has given away as often as anybody can at once
Invalid
├── UnfitDelegate         unfit_delegate         nobody who can decide: not there, not known to the caller, or not able to
├── SelfDelegation        self_delegation        to oneself, on whichever card
├── UnfitTerm             unfit_term             it begins in the past, ends before it begins, or is too long
├── UnknownKind           unknown_kind           no kind of request that can be filed
└── SamePerson            same_person            the accounts are bound to one contact, or to none
Unavailable
└── PersonUnclear         person_unclear         what says who is behind a contact does not verify
"""

from collections.abc import Iterable
from datetime import timedelta

from app.kit.errors import Conflict, FieldError, Invalid, Unavailable


class DelegationRing(Conflict):
    """Somebody would decide his own by way of others."""

    code, title, title_zh = (
        "delegation_ring",
        "The delegation would lead back to whoever gave it",
        "委托会形成循环",
    )


class DelegationTooDeep(Conflict):
    """Decisions are handed on twice at most."""

    code, title, title_zh = (
        "delegation_too_deep",
        "Decisions would be handed on more than twice",
        "委托转手超过两层",
    )


class TooManyDelegations(Conflict):
    """More would be a way of living."""

    code, title, title_zh = (
        "too_many_delegations",
        "Too many delegations of one person at once",
        "该人员同时生效的委托过多",
    )

    def __init__(self, *, most: int) -> None:
        """Name the limit."""
        super().__init__(most=most)


class UnfitDelegate(Invalid):
    """Nobody who can decide: absent, not known to the caller, not employed, or not able to, all alike."""

    code, title, title_zh = "unfit_delegate", "This is nobody who can decide", "该人员不存在或不能审批"

    def __init__(self) -> None:
        """Point at the person."""
        super().__init__(errors=[FieldError("/to", self.code, self.title, self.title_zh)])


class SelfDelegation(Invalid):
    """A natural person stands in for another one, and whoever files for somebody else does not name himself."""

    code, title, title_zh = (
        "self_delegation",
        "Nobody hands decisions to themselves",
        "不能委托给本人（含本人的其他账号）",
    )

    def __init__(self) -> None:
        """Point at the person."""
        super().__init__(errors=[FieldError("/to", self.code, self.title, self.title_zh)])


class UnfitTerm(Invalid):
    """A delegation begins now or soon, ends after it begins, and does not last."""

    code, title, title_zh = "unfit_term", "A delegation is not given for this time", "委托期限无效"

    def __init__(self, pointer: str, *, longest: timedelta) -> None:
        """Point at the member that is at fault, and name how long it can be."""
        most = longest.days
        detail = f"It begins now or within a year, ends after it begins, and lasts {most} days at most."
        detail_zh = f"委托应自现在起一年内开始，结束晚于开始，且不超过 {most} 天。"
        super().__init__(errors=[FieldError(pointer, self.code, detail, detail_zh)], most_days=most)


class UnknownKind(Invalid):
    """Only kinds that can be filed can be given away one by one."""

    code, title, title_zh = "unknown_kind", "There is no such kind of request", "没有该申请类型"

    def __init__(self, places: Iterable[int]) -> None:
        """Point at each member of the list."""
        super().__init__(
            errors=[FieldError(f"/kinds/{at}", self.code, self.title, self.title_zh) for at in sorted(places)]
        )


class SamePerson(Invalid):
    """Two accounts are one person when they are bound to two contacts."""

    code, title, title_zh = (
        "same_person",
        "Both accounts have to be bound, to two contacts",
        "两个账号须分别绑定不同的联系人",
    )


class PersonUnclear(Unavailable):
    """Somebody wrote past the service; until an operator says anew who it is, nothing that asks is decided."""

    code, title, title_zh = (
        "person_unclear",
        "Who is behind a contact cannot be said",
        "无法确认联系人对应的自然人",
    )
