"""What the outside may learn of a failed sign-in, and no more.

    Unauthenticated 401
    ├── TokenRequired     token_required    no credentials were sent
    ├── TokenRejected     invalid_token     whatever is wrong with the token
    └── TokenExpired      token_expired     a good token whose time is over
    Forbidden 403
    ├── AccountRefused    forbidden         an account row that somebody edited past us
    └── MintRefused       mint_refused      a token that the command line may not make
    NotFound 404
    ├── AccountNotFound   account_not_found
    └── ClientNotFound    client_not_found
    Invalid 422
    └── MalformedName     malformed_name
    Conflict 409
    ├── AccountExists     account_exists
    └── ClientExists      client_exists
    Unavailable 503
    └── IssuerUnavailable issuer_unavailable

The ``WWW-Authenticate`` headers are those of RFC 6750 section 3. Which check failed stays inside (``reasons.Reason``).
"""

from collections.abc import Iterable
from typing import Final

from app.auth.reasons import Reason
from app.auth.scopes import written
from app.kit.errors import Conflict, Forbidden, InsufficientScope, Invalid, NotFound, Unauthenticated, Unavailable

REALM: Final = 'Bearer realm="duanhao"'


class TokenRequired(Unauthenticated):
    """No bearer token was sent; RFC 6750 gives no error code then."""

    code, title, title_zh = "token_required", "An access token is required", "需要访问令牌"

    def __init__(self) -> None:
        """Ask for a token."""
        super().__init__(headers={"WWW-Authenticate": REALM})


class TokenRejected(Unauthenticated):
    """The token is not one that this service takes. ``reason`` is for the security log alone."""

    code, title, title_zh = "invalid_token", "The access token is not valid", "访问令牌无效"

    def __init__(self, reason: Reason) -> None:
        """Keep the reason inside."""
        super().__init__(
            headers={"WWW-Authenticate": f'{REALM}, error="invalid_token", error_description="{self.title}"'}
        )
        self.reason = reason


class TokenExpired(TokenRejected):
    """The token was good and its time is over; the caller should fetch another."""

    code, title, title_zh = "token_expired", "The access token has expired", "访问令牌已过期"

    def __init__(self) -> None:
        """Say so: it is no secret to the holder of a signed token."""
        super().__init__(Reason.EXPIRED)


class AccountRefused(Forbidden):
    """The account or client row does not carry its MAC; nothing is disclosed on the strength of it."""


class MintRefused(Forbidden):
    """The command line may not make this token here."""

    code, title, title_zh = "mint_refused", "This token may not be made here", "此处不允许签发该令牌"


class AccountNotFound(NotFound):
    """No account has this user name."""

    code, title, title_zh = "account_not_found", "No such account", "账号不存在"


class ClientNotFound(NotFound):
    """No client has this id."""

    code, title, title_zh = "client_not_found", "No such client", "客户端不存在"


class AccountExists(Conflict):
    """The user name is taken, by an account or by a client, or the contact is bound already."""

    code, title, title_zh = "account_exists", "The account exists already", "账号已存在"


class ClientExists(Conflict):
    """The client id is taken, by a client or by an account."""

    code, title, title_zh = "client_exists", "The client exists already", "客户端已存在"


class MalformedName(Invalid):
    """A user name, client id, scope or tier of a form that cannot be kept."""

    code, title, title_zh = "malformed_name", "The name is not of a form that can be kept", "名称格式不正确"


class IssuerUnavailable(Unavailable):
    """The keys of an issuer outside have never been read, so nothing can be said about its token."""

    code, title, title_zh = "issuer_unavailable", "The token's issuer cannot be reached", "暂时无法访问令牌签发方"


def insufficient_scope(needed: Iterable[str]) -> InsufficientScope:
    """Make the 403 of RFC 6750 section 3.1 that names the scopes which would do."""
    scopes = written(needed)
    return InsufficientScope(headers={"WWW-Authenticate": f'{REALM}, error="insufficient_scope", scope="{scopes}"'})
