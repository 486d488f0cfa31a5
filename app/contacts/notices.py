"""What contacts ask of whoever keeps the privacy notices: wired by the composition root."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID


class Notices(Protocol):
    """Knows who saw which notice."""

    async def told(self, contact_id: UUID) -> Mapping[str, Any]:
        """Tell the notice in force and when ``contact_id`` acknowledged it, as ``own_schemas.NoticeStanding``."""
        ...
