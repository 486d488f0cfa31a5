"""What the outside may learn of a failed sign-in, and no more.

    Unauthenticated 401
    ├── TokenRequired     token_required    no credentials were sent
    ├── TokenRejected     invalid_token     whatever is wrong with the token
    ├── TokenExpired      token_expired     a good token whose time is over
    └── FreshSignInRequired  insufficient_user_authentication
    Forbidden 403
    ├── AccountRefused    forbidden         an account row that somebody edited past us
    ├── MintRefused       mint_refused      a token that the command line may not make
    └── WrongCode         wrong_code        a one-time code that is not right
    NotFound 404
    ├── AccountNotFound   account_not_found
    ├── ClientNotFound    client_not_found
    ├── RedirectNotFound  redirect_uri_not_found
    └── TotpNotBegun      totp_not_begun
    Invalid 422
    ├── MalformedName     malformed_name
    ├── MalformedRedirect malformed_redirect_uri
    └── PasswordRefused   password_refused
    Conflict 409
    ├── AccountExists     account_exists
    ├── ClientExists      client_exists
    ├── RedirectExists    redirect_uri_exists
    └── TotpEnrolled      totp_enrolled
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


class MalformedRedirect(Invalid):
    """An address to which no answer may be sent: a fragment, a user, http across a network, odd characters."""

    code, title, title_zh = "malformed_redirect_uri", "This is no redirect URI that can be kept", "回调地址格式不正确"


class RedirectExists(Conflict):
    """The address is registered already."""

    code, title, title_zh = "redirect_uri_exists", "The redirect URI is registered already", "回调地址已登记"


class RedirectNotFound(NotFound):
    """The client has no such address."""

    code, title, title_zh = "redirect_uri_not_found", "The client has no such redirect URI", "该客户端没有此回调地址"


class PasswordRefused(Invalid):
    """A password that the rules do not take; ``errors`` say which rules."""

    code, title, title_zh = "password_refused", "This password cannot be used", "该密码不可使用"


class FreshSignInRequired(Unauthenticated):
    """The token is good, but its person signed in too long ago, or without a one-time code (RFC 9470)."""

    code, title, title_zh = "insufficient_user_authentication", "A fresh sign-in is required", "需要重新登录验证"

    def __init__(self, *, acr: str | None = None, max_age: int) -> None:
        """Say which way of signing in would do, and how many seconds ago at most."""
        wanted = "" if acr is None else f', acr_values="{acr}"'
        super().__init__(
            headers={
                "WWW-Authenticate": f'{REALM}, error="insufficient_user_authentication", '
                f'error_description="{self.title}"{wanted}, max_age="{max_age}"'
            }
        )


class TotpEnrolled(Conflict):
    """One-time codes are set up already; they are replaced with a sign-in that used one."""

    code, title, title_zh = "totp_enrolled", "One-time codes are set up already", "已启用动态验证码"


class TotpNotBegun(NotFound):
    """There is no set-up to confirm, or its time is over."""

    code, title, title_zh = "totp_not_begun", "No set-up of one-time codes is under way", "未在进行动态验证码设置"


class WrongCode(Forbidden):
    """The one-time code is not one of now, or was used before."""

    code, title, title_zh = "wrong_code", "The one-time code is not right", "动态验证码不正确"
