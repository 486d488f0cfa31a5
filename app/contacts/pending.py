"""Protected values that wait for a decision: sealed when they are proposed, put on the card when that is approved, opened by neither.

What is kept meanwhile is the very envelope that the card will have, behind the digest that stands beside a value there and a MAC under the
contact's own key over both and the field. So nobody who can write to the database puts another box in its place, not even an older one of
the same person, and the writer of cards needs no permit. See docs/decisions/0033.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy.exc import NoResultFound

from app.contacts.errors import PendingUnreadable
from app.crypto.datakey import DIGEST_SIZE
from app.crypto.rowmac import MAC_SIZE
from app.crypto.sealed import Sealed
from app.crypto.sealer import Sealer, SubjectSealer
from app.crypto.stored import stored_key
from app.kit.db import UnitOfWork
from app.kit.errors import NotFound

_DOMAIN: Final = "contact.pending"
_DIGEST_ENDS: Final = MAC_SIZE + DIGEST_SIZE
_log = structlog.get_logger("duanhao.security")


@dataclass(frozen=True, slots=True)
class Pending:
    """A value that the card is to have: its box, and the digest beside it."""

    box: Sealed
    digest: bytes


def packed(sealer: SubjectSealer, name: str, value: str) -> bytes:
    """Seal a value in normal form so that it can wait: MAC, digest, envelope."""
    digest, envelope = sealer.digest(name, value), sealer.seal(name, value).envelope
    return sealer.mac((_DOMAIN, name, digest, envelope)) + digest + envelope


def unpacked(sealer: SubjectSealer, name: str, waiting: bytes) -> Pending:
    """Take apart what ``packed`` made for this contact and field; raise ``PendingUnreadable`` for anything else."""
    mac, digest, envelope = waiting[:MAC_SIZE], waiting[MAC_SIZE:_DIGEST_ENDS], waiting[_DIGEST_ENDS:]
    if not sealer.verify((_DOMAIN, name, digest, envelope), mac):
        _log.error("row_mac_mismatch", table="approval_value", row=str(sealer.subject))
        raise PendingUnreadable
    return Pending(Sealed(envelope), digest)


class PendingValues:
    """Seals what requests propose, each value under the key of the contact that it is of."""

    def __init__(self, sealer: Sealer) -> None:
        """Take the sealer."""
        self._sealer = sealer

    async def seal(self, unit: UnitOfWork, contact: UUID, values: Mapping[str, str]) -> Mapping[str, bytes]:
        """Give for each field what waits; raise ``NotFound`` for a contact that has no key, or none any more."""
        try:
            key = await stored_key(unit.session, contact)
        except NoResultFound:
            raise NotFound from None
        sealer = self._sealer.existing(contact, key)
        return {name: packed(sealer, name, value) for name, value in values.items()}
