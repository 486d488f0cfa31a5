"""Sign-in wired as composition wires it, on a store with its tables and nobody in them."""

from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select

from app.audit.models import AuditIntent, Epoch
from app.auth.accounts import UserAccounts
from app.auth.clients import Clients, NewClient
from app.auth.external import RemoteKeys
from app.auth.guard import Authenticator
from app.auth.issuer import BuiltInIssuer
from app.auth.models import AccountRow, ClientRow, RevokedTokenRow
from app.auth.profile import built_in, external
from app.auth.repository import AccountRepository, ClientRepository
from app.auth.service import Directory, TokenPolicy, TokenService
from app.auth.verifier import TokenLimits, TokenVerifier
from app.config import ExternalIssuer
from app.crypto.rowmac import RowSigner
from app.kit.db import Database
from app.kit.models import Base
from tests.auth.forge import API, AUDIENCE, ISSUER, TENANT, TENANT_KEY, Forge, rsa_jwk, token_keys
from tests.support.clock import FrozenClock

TABLES = (AccountRow, ClientRow, RevokedTokenRow, Epoch, AuditIntent)


class KeyServer:
    """Serves the tenant's key set, or whatever a test puts in its place, and counts."""

    def __init__(self) -> None:
        self.document: Any = {"keys": [rsa_jwk("T1", TENANT_KEY.public_key(), x5c=["ignored"], x5t="T1")]}
        self.response: httpx.Response | Exception | None = None
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if isinstance(self.response, Exception):
            raise self.response
        return self.response if self.response is not None else httpx.Response(200, json=self.document)


@dataclass(slots=True)
class World:
    """Everything that a test of sign-in touches."""

    database: Database
    clock: FrozenClock
    verifier: TokenVerifier
    accounts: UserAccounts
    clients: Clients
    tokens: TokenService
    issuer: BuiltInIssuer
    authenticator: Authenticator
    key_server: KeyServer
    http: httpx.AsyncClient
    remote: RemoteKeys

    @property
    def forge(self) -> Forge:
        return Forge(int(self.clock.now().timestamp()))

    async def dump(self) -> list[Any]:
        """Read every row of every table of sign-in."""
        async with self.database.session() as session:
            return [sorted(map(repr, (await session.execute(select(*table.__table__.c))).all())) for table in TABLES]

    def service(self, *, production: bool = False, front_end: str = "intranet") -> TokenService:
        """Build a token service under another policy."""
        return TokenService(
            issuer=self.issuer,
            verifier=self.verifier,
            directory=Directory(self.accounts, self.clients, self.database.reader),
            clock=self.clock,
            policy=TokenPolicy(lifetime_seconds=600, production=production, front_end=front_end),
        )


def tenant_settings(**changes: object) -> ExternalIssuer:
    """Describe the tenant as an administrator would."""
    base: dict[str, Any] = {
        "issuer": TENANT,
        "jwks_url": "https://login.example.test/keys",
        "audience": API,
        "types": ("JWT",),
        "binding": {"Demo-Staff@corp.example.test": "demo-staff", "5f0c3b1e-0000-4000-8000-00000000000a": "intranet"},
    }
    return ExternalIssuer.model_validate({**base, **changes})


async def build(database: Database, clock: FrozenClock, **tenant: object) -> World:
    """Wire sign-in; ``tenant`` changes the settings of the issuer outside."""
    accounts, clients = AccountRepository(RowSigner(b"u" * 32)), ClientRepository(RowSigner(b"c" * 32))
    verifier = TokenVerifier(
        accounts=accounts, clients=clients, reader=database.reader, clock=clock, limits=TokenLimits(cache_size=8)
    )
    issuer = BuiltInIssuer(issuer=ISSUER, audience=AUDIENCE, keys=token_keys(), clock=clock)
    key_server = KeyServer()
    http = httpx.AsyncClient(transport=httpx.MockTransport(key_server), follow_redirects=True)
    settings = tenant_settings(**tenant)
    remote = RemoteKeys(settings.jwks_url, client=http, clock=clock, production=True, changed=verifier.forget)
    verifier.trust((built_in(issuer), external(settings, remote)))
    user_accounts = UserAccounts(accounts=accounts, clients=clients, clock=clock, changed=verifier.forget)
    client_service = Clients(clients=clients, accounts=accounts, clock=clock, changed=verifier.forget)
    tokens = TokenService(
        issuer=issuer,
        verifier=verifier,
        directory=Directory(user_accounts, client_service, database.reader),
        clock=clock,
        policy=TokenPolicy(lifetime_seconds=600, production=False, front_end="intranet"),
    )
    return World(
        database,
        clock,
        verifier,
        user_accounts,
        client_service,
        tokens,
        issuer,
        Authenticator(verifier),
        key_server,
        http,
        remote,
    )


async def make_tables(database: Database) -> None:
    """Create the tables of sign-in and the counters that they share with the log."""
    async with database.engine.begin() as connection:
        tables = [Base.metadata.tables[table.__tablename__] for table in TABLES]
        await connection.run_sync(Base.metadata.create_all, tables=tables)


async def people(world: World) -> str:
    """Add a front end, a service account and one person; give the service account's secret."""
    async with world.database.unit_of_work() as unit:
        await world.clients.add(unit.session, NewClient("intranet", "Intranet", confidential=False))
        scopes = ("hr:write", "scim")
        issued = await world.clients.add(unit.session, NewClient("hr-system", "Personnel system", scopes))
        await world.accounts.add(unit.session, "Demo-Staff", tier="T1", roles=("employee",))
    assert issued.secret is not None
    return issued.secret
