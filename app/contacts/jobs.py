"""Work that follows a change of a contact, after commit."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from app.kit.db import UnitOfWork
from app.kit.idempotency import forget_resource

FORGET_RECEIPTS: Final = "contact.forget_receipts"
"""Stored receipts name C1 members; those of a person who is gone must not be told again."""

TAG_AGAIN: Final = "contact.tag_again"
"""A value that nobody here has in clear was put on a card; its search tags take a permit, and so a transaction after this one."""


async def forget_receipts(unit: UnitOfWork, payload: Mapping[str, Any]) -> None:
    """Drop the stored receipts about ``contact_id``."""
    await forget_resource(unit, UUID(payload["contact_id"]))
