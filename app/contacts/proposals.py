"""Protected values that somebody proposes for a card: sealed when proposed, put on the card when that is approved, opened by neither.

What waits is the very envelope that the card will have, with the digest that stands beside a value there and a MAC under the contact's own
key over both and the field. So nobody who can write to the database puts another box in its place, not even one of the same person's from
history, and the writer of cards needs no permit. See docs/decisions/0033.
"""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import NoResultFound

from app.approvals.values import Proposed
from app.contacts.errors import ProposalUnreadable
from app.crypto.errors import SealBroken
from app.crypto.sealed import Sealed
from app.crypto.sealer import Sealer, SubjectSealer
from app.crypto.stored import stored_key
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound

_DOMAIN: Final = "contact.proposal"
_log = structlog.get_logger("duanhao.security")


class ProposalBoxes:
    """Seals proposals."""

    def __init__(self, sealer: Sealer) -> None:
        """Take the sealer."""
        self._sealer = sealer

    async def seal(self, unit: UnitOfWork, contact: UUID, values: Mapping[str, str]) -> Mapping[str, Proposed]:
        """Give what waits for each field, of values in normal form; raise ``NotFound`` for a contact whose key is not there."""
        try:
            sealer = self._sealer.existing(contact, await stored_key(unit.session, contact))
        except (SealBroken, NoResultFound) as error:
            raise NotFound from error
        return {name: boxed(sealer, name, value) for name, value in values.items()}


def boxed(sealer: SubjectSealer, name: str, value: str) -> Proposed:
    """Seal one value so that it can wait."""
    digest, envelope = sealer.digest(name, value), sealer.seal(name, value).envelope
    return Proposed(envelope, digest, sealer.mac((_DOMAIN, name, digest, envelope)))


def box_of(sealer: SubjectSealer, name: str, proposed: Proposed) -> Sealed:
    """Give the box of what ``boxed`` made for this contact and field; raise ``ProposalUnreadable`` for anything else."""
    if not sealer.verify((_DOMAIN, name, proposed.digest, proposed.envelope), proposed.mac):
        _log.error("row_mac_mismatch", table="approval_value", row=str(sealer.subject))
        raise ProposalUnreadable
    return Sealed(proposed.envelope)
