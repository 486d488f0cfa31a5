"""Notices as the composition root sees them: what everybody tells through, what routes call, what the worker sweeps."""

import ssl
from collections.abc import Callable

from app.auth.repository import AccountRepository
from app.config import Settings
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox
from app.disclosure.showing import Showing
from app.kit.db import Database
from app.kit.idempotency import Idempotency
from app.notices.channels import Channel, Places, WebhookChannel
from app.notices.courier import Courier, Rows
from app.notices.keeping import WebhookKeeper
from app.notices.ledger import NoticeLedger
from app.notices.mail import Addresses, MailChannel
from app.notices.posting import Poster
from app.notices.queues import DeliveryQueues
from app.notices.reading import WebhookPages
from app.notices.replaying import Replayer
from app.notices.repository import WebhookRepository
from app.notices.service import Notices
from app.notices.settling import Settler
from app.notices.spreading import Spreader
from app.notices.targets import Reach


class NoticeDesk:
    """Tells, keeps, shows and takes out."""

    def __init__(
        self,
        showing: Showing,
        *,
        settings: Settings,
        key: Callable[[str], bytes],
        accounts: AccountRepository,
        addresses: Addresses,
        database: Database,
        idempotency: Idempotency,
    ) -> None:
        """Take what desks share, the settings, keys by label, who holds which role, who knows mail addresses, and the store."""
        self._showing, self._settings, self._database = showing, settings, database
        self._accounts, self._addresses = accounts, addresses
        clock, self._queues = showing.clock, DeliveryQueues()
        self._ledger = NoticeLedger(RowSigner(key("notice")))
        self._webhooks = WebhookRepository(RowSigner(key("webhook")), SecretBox(key("webhook-secret")))
        self.service = Notices(self._ledger, clock)
        self._poster = Poster(reach_of(settings))
        self.pages = WebhookPages(showing, webhooks=self._webhooks, queues=self._queues, ledger=self._ledger)
        self.keeper = WebhookKeeper(
            webhooks=self._webhooks,
            queues=self._queues,
            pages=self.pages,
            poster=self._poster,
            idempotency=idempotency,
            clock=clock,
        )
        self.replayer = Replayer(
            webhooks=self._webhooks,
            queues=self._queues,
            ledger=self._ledger,
            idempotency=idempotency,
            clock=clock,
        )
        self.courier = self.made_courier(self._poster)

    def made_courier(
        self,
        poster: Poster,
        *,
        chance: Callable[[], float] | None = None,
        trust: ssl.SSLContext | None = None,
    ) -> Courier:
        """Make what takes tellings out, with what posts, chance for its pauses, and whose certificates are believed for mail."""
        clock, places = self._showing.clock, places_of(self._settings)
        channels: dict[str, Channel] = {
            "webhook": WebhookChannel(poster, places, clock),
            "mail": MailChannel(self._settings.smtp, self._addresses, places, clock, trust=trust),
        }
        return Courier(
            database=self._database,
            rows=Rows(self._ledger, self._queues, self._webhooks),
            spreader=Spreader(
                database=self._database,
                ledger=self._ledger,
                queues=self._queues,
                webhooks=self._webhooks,
                accounts=self._accounts,
                mails=self._settings.smtp.host is not None,
                clock=clock,
            ),
            settler=Settler(
                database=self._database,
                queues=self._queues,
                webhooks=self._webhooks,
                notices=self.service,
                clock=clock,
                **({} if chance is None else {"chance": chance}),
            ),
            channels=channels,
            clock=clock,
        )

    async def sweep(self) -> int:
        """Do what is due now, without waiting for what is sent; give how much was begun."""
        return await self.courier.sweep()

    async def close(self) -> None:
        """Stop taking out."""
        await self.courier.close()
        await self._poster.close()


def reach_of(settings: Settings) -> Reach:
    """Read from the settings what may be called."""
    notices = settings.notices
    return Reach(
        hosts=frozenset(notices.allowed_hosts),
        networks=notices.allowed_networks,
        ports=frozenset(notices.ports),
        plain_loopback=notices.plain_loopback,
    )


def places_of(settings: Settings) -> Places:
    """Read from the settings what links begin with."""
    public = settings.notices.public_url or settings.tokens.issuer.rstrip("/")
    return Places(public, settings.notices.portal_url or public)
