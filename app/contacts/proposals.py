"""Protected values that somebody proposes for a card: sealed as the card would keep them, under its contact's own key, before they wait.

What waits for an approval is so as closed as what is on the card; whoever applies it moves the box and opens nothing.
"""

from collections.abc import Mapping
from uuid import UUID

from app.approvals.effects import Proposed
from app.crypto.errors import SealBroken
from app.crypto.sealer import Sealer
from app.crypto.stored import stored_key
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound


class ProposalBoxes:
    """Seals proposals."""

    def __init__(self, sealer: Sealer) -> None:
        """Take the sealer."""
        self._sealer = sealer

    async def seal(self, unit: UnitOfWork, contact: UUID, values: Mapping[str, str]) -> Mapping[str, Proposed]:
        """Give a box and a digest for each field; raise ``NotFound`` for a contact whose key is not there."""
        try:
            sealer = self._sealer.existing(contact, await stored_key(unit.session, contact))
        except SealBroken as error:
            raise NotFound from error
        return {
            name: Proposed(sealer.seal(name, value).envelope, sealer.digest(name, value))
            for name, value in values.items()
        }
