"""Collection as the composition root sees it: one thing to make, from what it shares."""

from dataclasses import dataclass

from app.collection.consents import ConsentService
from app.collection.guide import FormGuide
from app.collection.notices import NoticeService
from app.collection.repository import ConsentRows, NoticeRows
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.contacts.roster import Roster
from app.contacts.writer import ContactWriter
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.disclosure.log_access import LogAccess
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.idempotency import Idempotency
from app.kit.pagination import Cursors


@dataclass(frozen=True, slots=True)
class Shared:
    """What collection uses and others too: the log's gate and viewers, contacts and their writer, the keys, the stores."""

    access: LogAccess
    contacts: ContactRepository
    writer: ContactWriter
    sealer: Sealer
    reader: Reader
    cursors: Cursors
    idempotency: Idempotency
    clock: Clock


class CollectionDesk:
    """Forms, notices, consents."""

    def __init__(self, signer: RowSigner, shared: Shared) -> None:
        """Take the signer of notices and acknowledgements, and what is shared."""
        gate, rights = shared.access.gate, CurrentRights(shared.access.standings)
        notices, forms = NoticeRows(shared.reader, signer), shared.writer.forms
        self.forms = FormGuide(forms=forms, gate=gate)
        self.notices = NoticeService(
            rows=notices,
            roster=Roster(shared.reader, shared.contacts),
            gate=gate,
            rights=rights,
            cursors=shared.cursors,
            idempotency=shared.idempotency,
            clock=shared.clock,
        )
        self.consents = ConsentService(
            contacts=shared.contacts,
            writer=shared.writer,
            rows=ConsentRows(shared.reader),
            notices=notices,
            gate=gate,
            rights=rights,
            sealer=shared.sealer,
            forms=forms,
            cursors=shared.cursors,
            idempotency=shared.idempotency,
            clock=shared.clock,
        )
