"""What front ends ask beside cards, as the composition root sees it: one thing to make, from what it shares."""

from app.audit.terms import Terms
from app.contacts.exporting import ContactSheets
from app.contacts.field_guide import FieldGuide
from app.contacts.listing import ContactLists
from app.contacts.me import OwnCard
from app.contacts.notices import Notices
from app.contacts.photos import PhotoKeeper, PhotoRows
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.contacts.service import ContactService
from app.contacts.tags import TagKeeper, TagRows
from app.contacts.vcards import CardFiles
from app.contacts.viewed_by import ViewedBy
from app.contacts.writer import ContactWriter
from app.crypto.sealer import Sealer
from app.disclosure.log_access import LogAccess
from app.kit.clock import Clock
from app.kit.db import Reader
from app.kit.idempotency import Idempotency
from app.kit.pagination import Cursors
from app.permissions.marks import MarkRepository
from app.permissions.quotas import Quotas


class FrontDesk:
    """Oneself, who looked at one, what the fields mean, photos, tags, cards to take along."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        lists: ContactLists,
        service: ContactService,
        writer: ContactWriter,
        access: LogAccess,
        sealer: Sealer,
        reader: Reader,
        cursors: Cursors,
        terms: Terms,
        idempotency: Idempotency,
        marks: MarkRepository,
        quotas: Quotas,
        clock: Clock,
        notices: Notices,
        issuer: str,
    ) -> None:
        """Take the contacts, the log with its gate and viewers, the stores, standing, who saw which privacy notice, and our own address."""
        gate, rights = access.gate, CurrentRights(access.standings)
        self.fields = FieldGuide(gate=gate, forms=writer.forms)
        self.me = OwnCard(
            repository=repository,
            gate=gate,
            rights=rights,
            marks=marks,
            quotas=quotas,
            events=access.events,
            reader=reader,
            notices=notices,
            clock=clock,
        )
        self.viewed_by = ViewedBy(
            events=access.events, repository=repository, names=access.names, gate=gate, rights=rights, cursors=cursors
        )
        self.photos = PhotoKeeper(
            repository=repository,
            rows=PhotoRows(reader, sealer),
            service=service,
            writer=writer,
            gate=gate,
            sealer=sealer,
            rights=rights,
            forms=writer.forms,
            clock=clock,
        )
        self.tags = TagKeeper(
            rows=TagRows(reader),
            gate=gate,
            rights=rights,
            cursors=cursors,
            terms=terms,
            idempotency=idempotency,
            clock=clock,
        )
        self.vcards = CardFiles(
            repository=repository, lists=lists, gate=gate, rights=rights, cursors=cursors, terms=terms, issuer=issuer
        )
        self.sheets = ContactSheets(lists=lists, gate=gate, rights=rights, cursors=cursors, terms=terms)
