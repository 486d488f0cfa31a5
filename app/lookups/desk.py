"""Lookups as the composition root sees them: what writers of contacts tag by, what routes call, what the worker runs."""

from datetime import timedelta

from app.audit.terms import Terms
from app.config import LookupSettings
from app.contacts.repository import ContactRepository
from app.contacts.rights import CurrentRights
from app.contacts.tag_upkeep import TagUpkeep
from app.contacts.tagged import TaggedContacts
from app.contacts.tagging import Tagger
from app.crypto.sealer import Sealer
from app.crypto.tags import IndexKeys, TagKeys
from app.disclosure.gate import Gate
from app.kit.clock import Clock
from app.kit.db import Database
from app.lookups.quota import LookupLimits
from app.lookups.retagging import Retagger, TagPolicy
from app.lookups.service import LookupService
from app.permissions.outcomes import Tag
from app.permissions.standing import Standings


class LookupDesk:
    """Looks up, and keeps what is looked up by."""

    def __init__(
        self,
        *,
        database: Database,
        repository: ContactRepository,
        gate: Gate,
        standings: Standings,
        sealer: Sealer,
        keys: IndexKeys,
        terms: Terms,
        clock: Clock,
        settings: LookupSettings,
        region: str,
        utc_offset: timedelta,
    ) -> None:
        """Take the store, the contacts, the gate, who viewers are, the keys of tags, and the operator's choices."""
        tag_keys, offered = TagKeys(keys), frozenset(Tag(each) for each in settings.kinds)
        self.tagger = Tagger(tag_keys)
        self.service = LookupService(
            tagged=TaggedContacts(database.reader, sealer, tag_keys),
            repository=repository,
            gate=gate,
            rights=CurrentRights(standings),
            sealer=sealer,
            reader=database.reader,
            terms=terms,
            limits=LookupLimits(
                person=settings.terms_per_day,
                service=settings.service_terms_per_day,
                clients=settings.client_terms_per_day,
                utc_offset=utc_offset,
            ),
            offered=offered,
            region=region,
            clock=clock,
        )
        self.retagger = Retagger(
            database=database,
            upkeep=TagUpkeep(database.reader),
            tagger=self.tagger,
            keys=tag_keys,
            repository=repository,
            gate=gate,
            standings=standings,
            sealer=sealer,
            policy=TagPolicy(offered, settings.profile),
            clock=clock,
        )
