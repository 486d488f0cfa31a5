"""Where the answer to a sign-in may go: addresses that were registered for the client, compared character by character.

No pattern, no prefix, no port that may vary: each of these has been used to lead a code elsewhere. The rows carry a MAC, so an address that
somebody wrote into the table past us is no address.
"""

import re
from collections.abc import Collection
from datetime import datetime
from typing import Final
from urllib.parse import urlencode, urlsplit

import structlog
from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.auth.errors import MalformedRedirect, RedirectExists, RedirectNotFound
from app.auth.models import RedirectUriRow
from app.auth.repository import Query, Source
from app.crypto.rowmac import RowSigner

MAX_URI: Final = 512

_TABLE: Final = RedirectUriRow.__tablename__
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&()*+,;=%-]+")
"""What RFC 3986 lets an address be made of, without ``#`` and quotes."""
_OWN_SCHEME: Final = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+")
_HOST: Final = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")
_LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
_OF_CLIENT: Final = Query(
    select(RedirectUriRow.uri, RedirectUriRow.mac)
    .where(RedirectUriRow.client_id == bindparam("client_id"))
    .order_by(RedirectUriRow.uri),
    by_key=True,
)

_log = structlog.get_logger("duanhao.security")


def is_redirect_uri(uri: str) -> bool:
    """Tell whether ``uri`` may be registered.

    https anywhere, http on this machine alone (RFC 8252 section 7.3), or a scheme of an app's own, a name turned around (section 7.1); no
    fragment, no user, nothing but plain characters.
    """
    if not 0 < len(uri) <= MAX_URI or _PLAIN.fullmatch(uri) is None:
        return False
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    if parts.scheme not in {"https", "http"}:
        return _OWN_SCHEME.fullmatch(parts.scheme) is not None and uri.startswith(f"{parts.scheme}:/")
    host = parts.netloc.rpartition(":")[0] if port is not None else parts.netloc
    well_formed = _HOST.fullmatch(host) is not None and port != 0
    return well_formed and (parts.scheme == "https" or host in _LOOPBACK)


def origin_of(uri: str) -> str:
    """Give what a content security policy calls a registered address's origin: scheme, host and port, or the scheme of an app."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in {"https", "http"} else f"{parts.scheme}:"


def with_answer(uri: str, answer: dict[str, str]) -> str:
    """Write the address to lead the browser to; every value is percent-encoded, so none can end a header or begin another parameter."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"


class RedirectUris:
    """The registered addresses."""

    def __init__(self, signer: RowSigner) -> None:
        """Take the signer of the table."""
        self._signer = signer

    async def of(self, source: Source, client_id: str) -> list[str]:
        """List the addresses of a client; a row that was edited past us is reported and left out."""
        found = []
        for uri, mac in await _OF_CLIENT.rows(source, client_id=client_id):
            if self._signer.verify(_TABLE, (client_id, uri), mac):
                found.append(uri)
            else:
                _log.error("row_mac_mismatch", table=_TABLE, row=client_id)
        return found

    async def add(self, session: AsyncSession, client_id: str, uris: Collection[str], *, at: datetime) -> None:
        """Register addresses; raise ``MalformedRedirect`` for one that may not be, ``RedirectExists`` for one that is."""
        for uri in uris:
            if not is_redirect_uri(uri):
                raise MalformedRedirect
            mac = self._signer.sign(_TABLE, (client_id, uri))
            row = insert(RedirectUriRow).values(client_id=client_id, uri=uri, mac=mac, created_at=at)
            try:
                await session.execute(row)
            except IntegrityError as error:
                raise RedirectExists from error

    async def remove(self, session: AsyncSession, client_id: str, uri: str) -> None:
        """Take an address back; raise ``RedirectNotFound``."""
        gone = await session.execute(
            delete(RedirectUriRow)
            .where(RedirectUriRow.client_id == client_id, RedirectUriRow.uri == uri)
            .returning(RedirectUriRow.uri)
        )
        if gone.first() is None:
            raise RedirectNotFound
