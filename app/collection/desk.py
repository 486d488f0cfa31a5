"""Collection as the composition root sees it: one thing to make, from what it shares."""

from app.collection.consents import ConsentService
from app.collection.guide import FormGuide
from app.collection.notices import NoticeService
from app.collection.repository import ConsentRows, NoticeRows
from app.contacts.forms import Forms
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.contacts.roster import Roster
from app.contacts.writer import ContactWriter
from app.crypto.rowmac import RowSigner
from app.crypto.sealer import Sealer
from app.disclosure.gate import Gate
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.idempotency import Idempotency
from app.kit.pagination import Cursors
from app.permissions.standing import Standings


class CollectionDesk:
    """Forms, notices, consents."""

    def __init__(
        self,
        *,
        signer: RowSigner,
        contacts: ContactRepository,
        writer: ContactWriter,
        gate: Gate,
        standings: Standings,
        sealer: Sealer,
        forms: Forms,
        reader: Reader,
        cursors: Cursors,
        idempotency: Idempotency,
        clock: Clock,
    ) -> None:
        """Take the signer of notices, contacts and their writer, the gate, who viewers are, sealer and forms, the stores, and the clock."""
        rights, notices = CurrentRights(standings), NoticeRows(reader, signer)
        self.forms = FormGuide(forms=forms, gate=gate)
        self.notices = NoticeService(
            rows=notices,
            roster=Roster(reader, contacts),
            gate=gate,
            rights=rights,
            cursors=cursors,
            idempotency=idempotency,
            clock=clock,
        )
        self.consents = ConsentService(
            contacts=contacts,
            writer=writer,
            rows=ConsentRows(reader),
            notices=notices,
            gate=gate,
            rights=rights,
            sealer=sealer,
            forms=forms,
            cursors=cursors,
            idempotency=idempotency,
            clock=clock,
        )
