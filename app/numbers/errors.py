"""Refusals about numbers.

Conflict
├── PoolExhausted            pool_exhausted            fewer are free than were asked for: ``requested``, ``available``
├── NumberNotAvailable       number_not_available      the number asked for stands otherwise: ``state``, ``available_from``
├── NumberNotAssigned        number_not_assigned       nobody holds it, so nothing can be released
├── ConsumerRefReused        consumer_ref_reused       the reference stands for another allocation
├── ConsumerRefSpent         consumer_ref_spent        what was allocated under the reference has been released since
├── RangeOverlaps            range_overlaps            another range of the domain has a number of this one
├── DuplicateDomainCode      duplicate_domain_code
├── DuplicatePoolCode        duplicate_pool_code
├── HoldOver                 hold_over                 the hold was used, dropped or has expired
├── HoldNotExtendable        hold_not_extendable       it was extended as often as it may be, or would end earlier
├── NumberNotProvisioning    number_not_provisioning   nothing waits for a confirmation: ``state``
└── AllocationConflict       allocation_conflict       somebody was faster; nothing was taken
Invalid
├── HolderNotFound           unknown_number_holder     no such holder, or none that may be given a number
├── SameHolder               same_holder               the number would stay where it is
├── UnknownHold              unknown_number_hold       no such hold of the caller in this pool
├── NumberNotInPool          number_not_in_pool
├── UnknownDomain            unknown_number_domain
├── AmbiguousNumber          ambiguous_number          two domains have these digits
├── RangeRefused             range_refused             what is wrong with it stands in ``errors``
├── RangeReserved            range_reserved            it would hold emergency or public service numbers
└── RangeTooLarge            range_too_large
"""

from collections.abc import Mapping
from typing import Final

from app.kit.errors import Conflict, FieldError, Invalid
from app.numbers.terms import TermFault

_TERMS: Final = {
    TermFault.MISSING: ("This number needs an end.", "该号码必须有截止时间。"),
    TermFault.PAST: ("This time is over.", "该时间已过。"),
    TermFault.TOO_FAR: ("This end is too far away.", "截止时间过远。"),
}


def term_refused(fault: TermFault, pointer: str = "/until") -> Invalid:
    """Write what is wrong with an end as a problem."""
    return Invalid(errors=[FieldError(pointer, fault.value, *_TERMS[fault])])


class PoolExhausted(Conflict):
    """Fewer numbers are free than were asked for; none was taken."""

    code, title, title_zh = "pool_exhausted", "The pool has too few free numbers", "号段池可用号码不足"

    def __init__(self, *, requested: int, available: int) -> None:
        """Say how many were asked for and how many there are."""
        super().__init__(requested=requested, available=available)


class NumberNotAvailable(Conflict):
    """The number that was asked for cannot be given out now."""

    code, title, title_zh = "number_not_available", "The number is not available", "该号码当前不可分配"

    def __init__(self, *, state: str, available_from: str | None) -> None:
        """Say how it stands, and until when if that is known."""
        super().__init__(state=state, available_from=available_from)


class NumberNotAssigned(Conflict):
    """Nobody holds the number."""

    code, title, title_zh = "number_not_assigned", "The number is not assigned", "该号码未被分配"


class ConsumerRefReused(Conflict):
    """The reference was used for an allocation of another kind."""

    code, title, title_zh = (
        "consumer_ref_reused",
        "The consumer_ref was used for another allocation",
        "该业务引用号已用于其他分配",
    )


class ConsumerRefSpent(Conflict):
    """What the reference stood for has been released; a late repeat must not tell numbers that somebody else may hold."""

    code, title, title_zh = (
        "consumer_ref_spent",
        "What was allocated under this consumer_ref has been released",
        "该业务引用号对应的号码已释放",
    )


class RangeOverlaps(Conflict):
    """Another range of the domain has a number of this one."""

    code, title, title_zh = "range_overlaps", "The range overlaps another one", "号段与已有号段重叠"

    def __init__(self, *, pool: str, digits: str) -> None:
        """Name the pool and the first number that both would hold."""
        fault = FieldError("/start", self.code, self.title, self.title_zh)
        super().__init__(errors=[fault], pool=pool, digits=digits)


class DuplicateDomainCode(Conflict):
    """Another domain has this code."""

    code, title, title_zh = "duplicate_domain_code", "The domain code is taken", "编号域编码已被使用"


class DuplicatePoolCode(Conflict):
    """Another pool has this code."""

    code, title, title_zh = "duplicate_pool_code", "The pool code is taken", "号段池编码已被使用"


class AllocationConflict(Conflict):
    """Another call took or changed the same at the same moment."""

    code, title, title_zh = "allocation_conflict", "Somebody was faster; try again", "号码刚刚被其他请求占用，请重试"


class HoldOver(Conflict):
    """Nothing can be done with the hold any more."""

    code, title, title_zh = "hold_over", "The hold is over", "号码预占已结束"


class HoldNotExtendable(Conflict):
    """It was extended as often as it may be, or would end before it does now."""

    code, title, title_zh = "hold_not_extendable", "The hold cannot be extended like this", "该预占无法这样延长"


class NumberNotProvisioning(Conflict):
    """There is nothing to confirm."""

    code, title, title_zh = "number_not_provisioning", "The number awaits no confirmation", "该号码无需确认开通"

    def __init__(self, *, state: str) -> None:
        """Say how it stands."""
        super().__init__(state=state)


class HolderNotFound(Invalid):
    """No such holder, one who left, or one whom the caller may not know of: all alike."""

    code, title, title_zh = "unknown_number_holder", "There is no such holder", "号码持有者不存在"

    def __init__(self, pointer: str = "/holder/id") -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class SameHolder(Invalid):
    """Whoever is to have the number has it."""

    code, title, title_zh = "same_holder", "The holder would be the same", "号码持有者未发生变化"

    def __init__(self, pointer: str) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class UnknownHold(Invalid):
    """No such hold, one of another pool, or somebody else's: all alike."""

    code, title, title_zh = "unknown_number_hold", "There is no such hold", "号码预占不存在"

    def __init__(self) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError("/hold", self.code, self.title, self.title_zh)])


class NumberNotInPool(Invalid):
    """The digits are no number of this pool."""

    code, title, title_zh = "number_not_in_pool", "The number is not in this pool", "该号码不属于此号段池"

    def __init__(self) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError("/digits", self.code, self.title, self.title_zh)])


class UnknownDomain(Invalid):
    """No such numbering domain."""

    code, title, title_zh = "unknown_number_domain", "There is no such numbering domain", "编号域不存在"

    def __init__(self, pointer: str = "/domain") -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])


class AmbiguousNumber(Invalid):
    """Two domains have these digits, and the caller did not say which is meant."""

    code, title, title_zh = "ambiguous_number", "Several domains have this number", "多个编号域存在该号码"

    def __init__(self) -> None:
        """Point at the parameter that decides."""
        super().__init__(errors=[FieldError("?domain", self.code, self.title, self.title_zh)])


class RangeRefused(Invalid):
    """The range cannot be read as one."""

    code, title, title_zh = "range_refused", "This is not a range", "号段格式不正确"


class RangeReserved(Invalid):
    """The range would hold numbers that collide with emergency or public service numbers."""

    code, title, title_zh = (
        "range_reserved",
        "The range collides with reserved numbers; exclude them",
        "号段与保留号码冲突，请排除后重试",
    )

    def __init__(self, faults: Mapping[str, str]) -> None:
        """Name every reserved number and the first number of the range at fault."""
        conflicts = [{"reserved": reserved, "digits": digits} for reserved, digits in faults.items()]
        errors = [FieldError("/excluded", self.code, self.title, self.title_zh)]
        super().__init__(errors=errors, conflicts=conflicts)


class RangeTooLarge(Invalid):
    """More numbers than one range takes."""

    code, title, title_zh = "range_too_large", "The range has too many numbers", "号段包含的号码过多"

    def __init__(self, *, most: int) -> None:
        """Name the limit."""
        super().__init__(errors=[FieldError("/end", self.code, self.title, self.title_zh)], most=most)
