"""Phonebooks as the composition root sees them."""

from app.audit.terms import Terms
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.devices.naming import Terminals
from app.devices.repository import DeviceRepository
from app.disclosure.showing import Showing
from app.kit.limits import Limiter
from app.numbers.lines import NumberLines
from app.phonebooks.callers import CallerNames
from app.phonebooks.collecting import BookReader
from app.phonebooks.service import PhonebookService


class PhonebookDesk:
    """Gives phonebooks and names callers."""

    def __init__(
        self,
        showing: Showing,
        repository: ContactRepository,
        devices: DeviceRepository,
        terms: Terms,
        limiter: Limiter | None,
    ) -> None:
        """Take how looks are shown, contacts and devices, the key of terms in the log, and the rate of look-ups."""
        lines, terminals, rights = NumberLines(), Terminals(devices), CurrentRights(showing.standings)
        gate, reader = showing.gate, showing.reader
        books = BookReader(repository=repository, lines=lines, terminals=terminals, gate=gate, reader=reader)
        self.service = PhonebookService(books=books, gate=gate, rights=rights, terms=terms)
        self.callers = CallerNames(
            repository=repository,
            lines=lines,
            terminals=terminals,
            gate=gate,
            rights=rights,
            reader=reader,
            limiter=limiter,
        )
