"""A POST that is sent twice is done once.

The receipt of the first call is stored in that call's own transaction, under a keyed hash of caller, method, path and key; so it exists
exactly when the work does. While the first call runs, the second is told so. Only 2xx are kept, for 24 hours, and never a protected
value: what is stored is the receipt, which has none. A replay asks again whether the caller may.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
from pydantic import Field
from sqlalchemy import delete, func, select

from app.kit.clock import Clock
from app.kit.db import Database, UnitOfWork
from app.kit.errors import Conflict, Invalid
from app.kit.records import IdempotencyRecord

IdempotencyKey = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of the caller's choice, once per piece of work.",
    ),
]
LIFETIME: Final = timedelta(hours=24)


class IdempotencyKeyReused(Invalid):
    """The key was used for another body."""

    code, title, title_zh = (
        "idempotency_key_reused",
        "The Idempotency-Key was used for another body",
        "该幂等键已用于其他请求内容",
    )


class IdempotencyInProgress(Conflict):
    """The first call with this key has not finished."""

    code, title, title_zh = (
        "idempotency_in_progress",
        "The first call with this Idempotency-Key still runs",
        "相同幂等键的请求正在处理",
    )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a write answers: the id of what was written and members that anybody who may write may see."""

    resource_id: UUID | None
    body: dict[str, Any]
    status: int = 201


@dataclass(frozen=True, slots=True)
class Answer:
    """A receipt, and whether it is told for the second time."""

    receipt: Receipt
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """What makes two calls the same call."""

    caller: str
    method: str
    path: str
    key: str | None


class Idempotency:
    """Runs work once per call."""

    def __init__(self, database: Database, key: bytes, clock: Clock) -> None:
        """Take the store, the key of the hashes (from the keyring) and the clock."""
        self._database, self._key, self._clock = database, key, clock
        self._running: set[bytes] = set()

    async def run(
        self,
        unit: UnitOfWork,
        call: Call,
        body: object,
        *,
        allowed: Callable[[], object],
        work: Callable[[], Awaitable[Receipt]],
    ) -> Answer:
        """Do ``work`` once for ``call``, in the transaction of ``unit``.

        ``body`` is any JSON value that tells two requests apart; ``allowed`` raises when the caller may not (any more).
        Raises ``IdempotencyKeyReused`` and ``IdempotencyInProgress``.
        """
        allowed()
        if call.key is None:
            return Answer(await work())
        key_hash = self._hash(orjson.dumps([call.caller, call.method, call.path, call.key]))
        body_hash = self._hash(orjson.dumps(body, option=orjson.OPT_SORT_KEYS))
        await self._claim(unit, key_hash)
        found = await unit.session.get(IdempotencyRecord, key_hash)
        now = self._clock.now()
        if found is not None and found.created_at > now - LIFETIME:
            if not hmac.compare_digest(found.body_hash, body_hash):
                raise IdempotencyKeyReused
            return Answer(Receipt(found.resource_id, found.receipt, found.status), replayed=True)
        if found is not None:
            await unit.session.delete(found)
            await unit.session.flush()
        receipt = await work()
        unit.session.add(
            IdempotencyRecord(
                key_hash=key_hash,
                body_hash=body_hash,
                status=receipt.status,
                resource_id=receipt.resource_id,
                receipt=receipt.body,
                created_at=now,
            )
        )
        return Answer(receipt)

    def _hash(self, material: bytes) -> bytes:
        return hmac.digest(self._key, material, "sha256")

    async def _claim(self, unit: UnitOfWork, key_hash: bytes) -> None:
        if self._database.dialect == "postgresql":
            number = int.from_bytes(key_hash[:8], signed=True)
            if not await unit.session.scalar(select(func.pg_try_advisory_xact_lock(number))):
                raise IdempotencyInProgress
            return
        if key_hash in self._running:
            raise IdempotencyInProgress
        self._running.add(key_hash)
        unit.at_end(lambda: self._running.discard(key_hash))


async def forget_resource(unit: UnitOfWork, resource_id: UUID) -> None:
    """Drop the receipts about one resource, when what they name must be gone."""
    await unit.session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.resource_id == resource_id))


async def forget_expired(unit: UnitOfWork, clock: Clock) -> None:
    """Drop what is past its 24 hours."""
    await unit.session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.created_at < clock.now() - LIFETIME))
