"""A workshop for tokens, good and forged.

It signs with ``cryptography`` alone, so that no mistake of ours or of jose cancels out.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from app.crypto.signing import TokenKeys

ISSUER: Final = "https://directory.example.test"
AUDIENCE: Final = "duanhao"
TENANT: Final = "https://login.example.test/5f0c3b1e-0000-4000-8000-000000000001/v2.0"
OTHER_TENANT: Final = "https://login.example.test/5f0c3b1e-0000-4000-8000-000000000002/v2.0"
API: Final = "api://duanhao"

OURS: Final = generate_private_key(SECP256R1())
NEXT: Final = generate_private_key(SECP256R1())
STRANGER: Final = generate_private_key(SECP256R1())
TENANT_KEY: Final = generate_rsa(public_exponent=65537, key_size=2048)

DROP: Final = object()
"""Stands for a claim or header member that is left out."""


def b64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def segment(value: bytes | Mapping[str, Any]) -> str:
    return b64(value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode())


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**base, **changes}.items() if value is not DROP}


def es256(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    r, s = decode_dss_signature(key.sign(message, ECDSA(SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def es256_der(key: EllipticCurvePrivateKey, message: bytes) -> bytes:
    return key.sign(message, ECDSA(SHA256()))


def rs256(key: RSAPrivateKey, message: bytes) -> bytes:
    return key.sign(message, PKCS1v15(), SHA256())


def hs256(secret: bytes, message: bytes) -> bytes:
    return hmac.digest(secret, message, hashlib.sha256)


def ec_jwk(kid: str, public: EllipticCurvePublicKey, /, **changes: object) -> dict[str, Any]:
    numbers = public.public_numbers()
    x, y = b64(numbers.x.to_bytes(32, "big")), b64(numbers.y.to_bytes(32, "big"))
    base = {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256"}
    return merged(base, changes)


def rsa_jwk(kid: str, public: RSAPublicKey, /, **changes: object) -> dict[str, Any]:
    numbers = public.public_numbers()
    base = {"kty": "RSA", "use": "sig", "kid": kid, "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}
    return merged(base, changes)


def token_keys() -> TokenKeys:
    """Keys as ``crypto.signing.load_token_keys`` gives them: one that signs and the next one."""
    pem = OURS.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public = (ec_jwk("ours", OURS.public_key()), ec_jwk("next", NEXT.public_key()))
    return TokenKeys(kid="ours", algorithm="ES256", public=public, private_pem=pem)


def public_forms() -> dict[str, bytes]:
    """Our public key in every form that an attacker may have it in, to be misused as an HMAC secret."""
    public = OURS.public_key()
    return {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "pem-stripped": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).strip(),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "point": public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint),
        "openssh": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": json.dumps(ec_jwk("ours", public)).encode(),
        "empty": b"",
    }


def tenant_public_forms() -> dict[str, bytes]:
    """Give the tenant's RSA key in every form that an attacker may have it in."""
    public = TENANT_KEY.public_key()
    return {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "pkcs1-pem": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1),
        "pkcs1-pem-stripped": public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).strip(),
        "der": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "pkcs1-der": public.public_bytes(Encoding.DER, PublicFormat.PKCS1),
        "openssh": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": json.dumps(rsa_jwk("T1", public)).encode(),
        "jwk-set": json.dumps({"keys": [rsa_jwk("T1", public)]}).encode(),
        "modulus": public.public_numbers().n.to_bytes(256, "big"),
    }


class Forge:
    """Makes tokens for one moment, given in seconds since 1970."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.header: dict[str, Any] = {"typ": "at+jwt", "alg": "ES256", "kid": "ours"}
        self.claims: dict[str, Any] = {
            "iss": ISSUER,
            "sub": "demo-staff",
            "aud": AUDIENCE,
            "exp": now + 600,
            "nbf": now,
            "iat": now,
            "jti": "0192f5c4-0000-7000-8000-000000000001",
            "client_id": "intranet",
            "scope": "contacts:read contacts:reveal",
            "epoch": 0,
        }
        self.tenant_header: dict[str, Any] = {"typ": "JWT", "alg": "RS256", "kid": "T1", "x5t": "T1"}
        self.tenant_claims: dict[str, Any] = {
            "aud": API,
            "iss": TENANT,
            "iat": now - 5,
            "nbf": now - 5,
            "exp": now + 4000,
            "aio": "AXQAi/8TAAAA",
            "azp": "5f0c3b1e-0000-4000-8000-00000000000a",
            "azpacr": "1",
            "name": "Demo Staff",
            "oid": "5f0c3b1e-0000-4000-8000-00000000000b",
            "preferred_username": "Demo-Staff@corp.example.test",
            "rh": "0.AAAA",
            "scp": "contacts:read openid",
            "sub": "hKbO5xx1pairwise",
            "tid": "5f0c3b1e-0000-4000-8000-000000000001",
            "uti": "uti-0000000000000001",
            "ver": "2.0",
            "roles": ["hr", "infosec"],
            "tier": "T5",
        }

    def signed(
        self,
        *,
        key: EllipticCurvePrivateKey = OURS,
        header: Mapping[str, Any] | bytes | None = None,
        raw: bytes | None = None,
        **claims: object,
    ) -> str:
        """Sign with ES256: a header's changes or its bytes, claims' changes or ``raw`` bytes of the payload."""
        head = header if isinstance(header, bytes) else merged(self.header, header or {})
        payload = raw if raw is not None else merged(self.claims, claims)
        message = f"{segment(head)}.{segment(payload)}"
        return f"{message}.{b64(es256(key, message.encode()))}"

    def parts(self, scope: str = "contacts:read") -> tuple[str, str, str]:
        """Give the three parts of a good token."""
        head, payload, signature = self.signed(scope=scope).split(".")
        return head, payload, signature

    def mac(self, secret: bytes, *, alg: str = "HS256") -> str:
        """Sign with HMAC under bytes that everybody knows."""
        message = f"{segment({**self.header, 'alg': alg})}.{segment(self.claims)}"
        return f"{message}.{b64(hs256(secret, message.encode()))}"

    def unsigned(self, alg: str, signature: str = "") -> str:
        """Name an algorithm that needs no key."""
        return f"{segment({**self.header, 'alg': alg})}.{segment(self.claims)}.{signature}"

    def twice(self, name: str, first: object) -> bytes:
        """Write the claims with ``name`` given twice: ``first``, then the good value."""
        return b"{" + f'"{name}":{json.dumps(first)},'.encode() + json.dumps(self.claims).encode()[1:]

    def literal(self, name: str, text: str) -> bytes:
        """Write the claims with the value of ``name`` exactly as ``text``."""
        rest = json.dumps(merged(self.claims, {name: DROP})).encode()[1:]
        return b"{" + f'"{name}":{text},'.encode() + rest

    def entra(
        self,
        *,
        key: RSAPrivateKey = TENANT_KEY,
        header: Mapping[str, Any] | None = None,
        raw: bytes | None = None,
        **claims: object,
    ) -> str:
        """Sign a token of the shape that Entra sends (version 2.0): changes of header and claims, or ``raw`` bytes of the payload."""
        payload = raw if raw is not None else merged(self.tenant_claims, claims)
        message = f"{segment(merged(self.tenant_header, header or {}))}.{segment(payload)}"
        return f"{message}.{b64(rs256(key, message.encode()))}"

    def entra_mac(self, secret: bytes, *, alg: str = "HS256") -> str:
        """Sign such a token with HMAC under bytes that everybody knows."""
        message = f"{segment({**self.tenant_header, 'alg': alg})}.{segment(self.tenant_claims)}"
        return f"{message}.{b64(hs256(secret, message.encode()))}"

    def entra_literal(self, name: str, text: str) -> bytes:
        """Write such claims with the value of ``name`` exactly as ``text``."""
        rest = json.dumps(merged(self.tenant_claims, {name: DROP})).encode()[1:]
        return b"{" + f'"{name}":{text},'.encode() + rest
