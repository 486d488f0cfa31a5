"""An address outside as a value: closed as it is kept, and open for as long as something is sent there."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from app.notices.robots import Robot

Kind = Literal["standard", "wecom", "feishu", "dingtalk"]
State = Literal["active", "paused", "disabled"]
Cause = Literal["gone", "dead", "operator"]
"""Why it is disabled: the other side said 410 or what means the same, it failed for five days, or somebody disabled it."""

OVERLAP: Final = timedelta(hours=24)
"""How long the secret before still signs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One address. ``address`` and the secrets are boxed; ``row_version`` counts its changes."""

    id: UUID
    kind: Kind
    label: str
    address: bytes = field(repr=False)
    secret: bytes | None = field(repr=False)
    former_secret: bytes | None = field(repr=False)
    former_until: datetime | None
    types: tuple[str, ...]
    roles: tuple[str, ...]
    state: State
    cause: Cause | None
    owner: UUID | None
    row_version: int
    created_at: datetime

    @property
    def queue(self) -> str:
        """The name of its queue."""
        return queue_of(self.id)


@dataclass(frozen=True, slots=True)
class Opened:
    """An address as it is needed to send: with its URL and the secrets in force, the newest first."""

    kind: Literal["standard"] | Robot
    url: str = field(repr=False)
    secrets: Sequence[str] = field(repr=False)


def queue_of(identity: UUID) -> str:
    """Name the queue of an address."""
    return f"webhook:{identity}"
