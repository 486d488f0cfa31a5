"""What is done with tokens that are out: exchanged, taken back, asked about. One object for whoever wires it."""

from app.auth.clients import Clients
from app.auth.exchange import TokenExchange
from app.auth.issuer import TOKEN_EXCHANGE
from app.auth.repository import AccountRepository
from app.auth.service import TokenService
from app.auth.token_door import RefreshTokens, TokenDoor
from app.auth.verifier import TokenVerifier
from app.kit.clock import Clock
from app.kit.db import Database


class TokenDesk:
    """The door for tokens, and the token endpoint's exchange, which it adds to ``tokens``."""

    def __init__(
        self,
        tokens: TokenService,
        *,
        verifier: TokenVerifier,
        database: Database,
        accounts: AccountRepository,
        clients: Clients,
        clock: Clock,
        exchange_seconds: int,
        refresh: RefreshTokens | None = None,
    ) -> None:
        """Take what knows tokens, accounts and clients; ``refresh`` where there are refresh tokens."""
        exchange = TokenExchange(
            database=database,
            verifier=verifier,
            issuer=tokens.issuer,
            accounts=accounts,
            authenticate=tokens.authenticated,
            clock=clock,
            longest_seconds=exchange_seconds,
        )
        tokens.serve({TOKEN_EXCHANGE: exchange.answer})
        self.door = TokenDoor(
            database=database,
            verifier=verifier,
            clients=clients,
            authenticate=tokens.authenticated,
            clock=clock,
            refresh=refresh,
        )
