"""Named guards of the number plan, what routes call, and the problems that every look or write can meet."""

from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, Path, Request

from app.audit.errors import EpochMoved
from app.auth.scopes import Scope
from app.kit.errors import InsufficientScope, Invalid, LogUnavailable, Unauthenticated
from app.kit.idempotency import IdempotencyInProgress, IdempotencyKeyReused
from app.numbers.domains import DomainKeeper
from app.numbers.hold_pages import HoldPages
from app.numbers.holds import HoldKeeper
from app.numbers.keeping import NumberKeeper
from app.numbers.moving import MoveKeeper
from app.numbers.plan_reading import PlanReader
from app.numbers.pools import PoolKeeper
from app.numbers.ranges import RangeKeeper
from app.numbers.reading import NumberReader
from app.numbers.validating import NumberValidator
from app.permissions.errors import AccountSuspended, NoContact, NotPermitted
from app.permissions.guard import LookGuard, WriteGuard
from app.permissions.standing import Viewer

LOOK_PROBLEMS: Final = (Unauthenticated, InsufficientScope, NoContact, AccountSuspended, LogUnavailable, EpochMoved)
ONCE_PROBLEMS: Final = (*LOOK_PROBLEMS, NotPermitted, Invalid, IdempotencyKeyReused, IdempotencyInProgress)

NumbersRead = Annotated[Viewer, Depends(LookGuard(Scope.NUMBERS_READ))]
NumbersAllocate = Annotated[Viewer, Depends(WriteGuard(Scope.NUMBERS_ALLOCATE))]
NumbersAdmin = Annotated[Viewer, Depends(WriteGuard(Scope.NUMBERS_ADMIN))]

NamedPool = Annotated[str, Path(alias="id", min_length=1, max_length=36, description="Id or code.", examples=["desk"])]
NamedRange = Annotated[UUID, Path(alias="range", description="Id of the range.")]
NamedNumber = Annotated[str, Path(alias="digits", pattern=r"^[0-9]{2,15}$", examples=["78001"])]


async def _reader(request: Request) -> NumberReader:
    reader: NumberReader = request.app.state.application.numbers.reader
    return reader


async def _keeper(request: Request) -> NumberKeeper:
    keeper: NumberKeeper = request.app.state.application.numbers.keeper
    return keeper


async def _pools(request: Request) -> PoolKeeper:
    pools: PoolKeeper = request.app.state.application.numbers.pools
    return pools


async def _plan(request: Request) -> PlanReader:
    plan: PlanReader = request.app.state.application.numbers.plan
    return plan


async def _domains(request: Request) -> DomainKeeper:
    domains: DomainKeeper = request.app.state.application.numbers.domains
    return domains


async def _ranges(request: Request) -> RangeKeeper:
    ranges: RangeKeeper = request.app.state.application.numbers.ranges
    return ranges


async def _validator(request: Request) -> NumberValidator:
    validator: NumberValidator = request.app.state.application.numbers.validator
    return validator


async def _mover(request: Request) -> MoveKeeper:
    mover: MoveKeeper = request.app.state.application.numbers.mover
    return mover


async def _holds(request: Request) -> HoldKeeper:
    holds: HoldKeeper = request.app.state.application.numbers.holds
    return holds


async def _hold_pages(request: Request) -> HoldPages:
    pages: HoldPages = request.app.state.application.numbers.hold_pages
    return pages


Reader = Annotated[NumberReader, Depends(_reader)]
Keeper = Annotated[NumberKeeper, Depends(_keeper)]
Pools = Annotated[PoolKeeper, Depends(_pools)]
Plan = Annotated[PlanReader, Depends(_plan)]
Domains = Annotated[DomainKeeper, Depends(_domains)]
Ranges = Annotated[RangeKeeper, Depends(_ranges)]
Validator = Annotated[NumberValidator, Depends(_validator)]
Mover = Annotated[MoveKeeper, Depends(_mover)]
Holds = Annotated[HoldKeeper, Depends(_holds)]
HeldPages = Annotated[HoldPages, Depends(_hold_pages)]
