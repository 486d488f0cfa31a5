"""The built-in issuer: access tokens of RFC 9068, signed with ES256 by keys that ``crypto`` keeps.

One key signs, the next one is already published so that everybody knows it before it is used, and retired ones still
verify what they signed until it has expired. The private key stays in this object: it does not print.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from jose import jws
from jose.backends.base import Key
from jose.backends.cryptography_backend import CryptographyECKey

from app.auth import jwks
from app.auth.authorization import ACR_PASSWORD, ACR_STEP_UP
from app.auth.scopes import VOCABULARY, written
from app.crypto.signing import TokenKeys
from app.kit.clock import Clock
from app.kit.models import new_id

ALGORITHM: Final = "ES256"
TOKEN_TYPE: Final = "at+jwt"  # noqa: S105 — a media type
TOKEN_EXCHANGE: Final = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 — a grant type


@dataclass(frozen=True, slots=True)
class AccessToken:
    """One token as it was issued. ``text`` is shown once, to whom it belongs, and never printed by accident."""

    text: str = field(repr=False)
    jti: str
    expires_at: int
    lifetime: int
    scopes: frozenset[str]


class BuiltInIssuer:
    """Signs access tokens and publishes the keys that verify them."""

    def __init__(self, *, issuer: str, audience: str, keys: TokenKeys, clock: Clock) -> None:
        """Take ``iss`` and ``aud`` of every token, and the keys as they are now."""
        self.issuer, self.audience = issuer, audience
        self._clock = clock
        self._look: Callable[[], Awaitable[None]] | None = None
        self.replace_keys(keys)

    def renewed_by(self, look: Callable[[], Awaitable[None]]) -> None:
        """Let ``look`` bring other keys (``replace_keys``) whenever somebody asks for ours."""
        self._look = look

    async def refresh(self) -> None:
        """Take up a rotation before keys are published or sign."""
        if self._look is not None:
            await self._look()

    def replace_keys(self, keys: TokenKeys) -> None:
        """Go on with other keys, after a rotation; raise ``ValueError`` when one of the public ones cannot verify."""
        verifying, left_out = jwks.parse_set(keys.jwks)
        if left_out or (keys.kid, ALGORITHM) not in verifying.keys:
            message = "the token keys are not P-256 keys for ES256"
            raise ValueError(message)
        self._kid, self._published, self._verifying = keys.kid, keys.jwks, verifying
        self._signer = CryptographyECKey(keys.private_pem, ALGORITHM)

    async def find(self, kid: str, algorithm: str) -> Key | None:
        """Give the key that verifies a token of ours; raise ``Rejected`` when it does not fit ``algorithm``."""
        await self.refresh()
        return self._verifying.get(kid, algorithm)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """Give the key set to publish: the key that signs, the next one, and those that did until lately."""
        return self._published

    def metadata(self) -> dict[str, Any]:
        """Describe this issuer as RFC 8414 section 2 does; addresses hang on ``iss``."""
        base = self.issuer.rstrip("/")
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/oauth/authorize",
            "token_endpoint": f"{base}/oauth/token",
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token", TOKEN_EXCHANGE],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "acr_values_supported": [ACR_PASSWORD, ACR_STEP_UP],
            "ui_locales_supported": ["zh", "en"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "scopes_supported": sorted(VOCABULARY),
            "revocation_endpoint": f"{base}/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "introspection_endpoint": f"{base}/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        }

    def issue(
        self,
        *,
        subject: str,
        client_id: str,
        scopes: frozenset[str],
        epoch: int,
        lifetime: int,
        more: Mapping[str, Any] | None = None,
    ) -> AccessToken:
        """Sign a token for ``subject`` that lives ``lifetime`` seconds and dies with ``epoch`` of the subject; ``more`` are claims."""
        now = int(self._clock.now().timestamp())
        jti = str(new_id())
        claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": self.audience,
            "exp": now + lifetime,
            "nbf": now,
            "iat": now,
            "jti": jti,
            "client_id": client_id,
            "scope": written(scopes),
            "epoch": epoch,
            **(more or {}),
        }
        text = jws.sign(
            orjson.dumps(claims), self._signer, headers={"typ": TOKEN_TYPE, "kid": self._kid}, algorithm=ALGORITHM
        )
        return AccessToken(text, jti, now + lifetime, lifetime, scopes)
