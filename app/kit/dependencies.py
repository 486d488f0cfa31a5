"""What routes ask for besides their guard: the transaction of the request, and the caller's idempotency key and version.

The unit of work has function scope: it commits before the answer starts, so a failed commit is an error and never a 2xx (FastAPI's
default scope would commit after the answer has left). It opens nothing until the first statement.
"""

from collections.abc import AsyncIterator
from typing import Annotated, Protocol

from fastapi import Depends, Header, Request

from app.kit.db import Database, UnitOfWork
from app.kit.errors import PreconditionRequired
from app.kit.idempotency import IdempotencyKey


class HasDatabase(Protocol):
    """What the transaction of a request needs of the application."""

    database: Database


async def unit_of_work(request: Request) -> AsyncIterator[UnitOfWork]:
    """Give the request its transaction; commit when the route returns, roll back when it raises."""
    application: HasDatabase = request.app.state.application
    async with application.database.unit_of_work() as unit:
        yield unit


async def required_version(
    if_match: Annotated[
        str | None, Header(description="`ETag` of the card as the caller saw it.", max_length=512)
    ] = None,
) -> str:
    """Give ``If-Match``; raise 428 when there is none."""
    if if_match is None:
        raise PreconditionRequired
    return if_match


Unit = Annotated[UnitOfWork, Depends(unit_of_work, scope="function")]
IfMatch = Annotated[str, Depends(required_version)]
IfNoneMatch = Annotated[str | None, Header(description="`ETag` of a card that the caller has.", max_length=512)]
OnceKey = Annotated[IdempotencyKey | None, Header(alias="Idempotency-Key")]


def names_version(header: str, version: str) -> bool:
    """Tell whether an ``If-Match`` or ``If-None-Match`` names ``version`` (RFC 9110 section 13.1; ``*`` names any)."""
    if header.strip() == "*":
        return True
    return version in {each.strip().removeprefix("W/").strip('"') for each in header.split(",")}
