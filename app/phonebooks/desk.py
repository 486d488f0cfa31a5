"""Phonebooks as the composition root sees them."""

from app.audit.terms import Terms
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.disclosure.gate import Gate
from app.kit.db import Reader
from app.kit.limits import Limiter
from app.numbers.lines import NumberLines
from app.permissions.standing import Standings
from app.phonebooks.callers import CallerNames
from app.phonebooks.collecting import BookReader
from app.phonebooks.service import PhonebookService


class PhonebookDesk:
    """Gives phonebooks and names callers."""

    def __init__(
        self,
        *,
        repository: ContactRepository,
        gate: Gate,
        standings: Standings,
        terms: Terms,
        reader: Reader,
        limiter: Limiter | None,
    ) -> None:
        """Take the contacts, the gate, who viewers are, the key of terms in the log, where to read, and the rate of look-ups."""
        lines, rights = NumberLines(), CurrentRights(standings)
        books = BookReader(repository=repository, lines=lines, gate=gate, reader=reader)
        self.service = PhonebookService(books=books, gate=gate, rights=rights, terms=terms)
        self.callers = CallerNames(
            repository=repository, lines=lines, gate=gate, rights=rights, reader=reader, limiter=limiter
        )
