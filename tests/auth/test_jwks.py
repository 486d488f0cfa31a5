"""Key sets: what is a usable key, and that a bad neighbour does not harm a good one."""

from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa

from app.auth.jwks import MAX_KEYS, MalformedKeyError, parse_key, parse_set
from app.auth.reasons import Reason, Rejected
from tests.auth.forge import DROP, OURS, TENANT_KEY, b64, ec_jwk, rsa_jwk

EC: Final = OURS.public_key()
RSA: Final = TENANT_KEY.public_key()

MALFORMED: Final[dict[str, Any]] = {
    "no object": "key",
    "null": None,
    "no kid": ec_jwk("k", EC, kid=DROP),
    "kid a number": ec_jwk("k", EC, kid=1),
    "no kty": ec_jwk("k", EC, kty=DROP),
    "symmetric": {"kid": "k", "kty": "oct", "k": "AAAA"},
    "Edwards curve": {"kid": "k", "kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
    "private": ec_jwk("k", EC, d="AAAA"),
    "for encryption": ec_jwk("k", EC, use="enc"),
    "for signing only": ec_jwk("k", EC, key_ops=["sign"]),
    "operations no list": ec_jwk("k", EC, key_ops="verify"),
    "curve unknown": ec_jwk("k", EC, crv="secp256k1"),
    "curve of another length": ec_jwk("k", EC, crv="P-384"),
    "no y": ec_jwk("k", EC, y=DROP),
    "x padded": ec_jwk("k", EC, x=ec_jwk("k", EC)["x"] + "="),
    "x a list": ec_jwk("k", EC, x=["AAAA"]),
    "point off the curve": ec_jwk("k", EC, x=b64(bytes(31) + b"\x05")),
    "alg of another type": ec_jwk("k", EC, alg="RS256"),
    "alg none": ec_jwk("k", EC, alg="none"),
    "alg symmetric": rsa_jwk("k", RSA, alg="HS256"),
    "alg a list": rsa_jwk("k", RSA, alg=["RS256"]),
    "alg not served": rsa_jwk("k", RSA, alg="PS256"),
    "modulus too short": rsa_jwk("k", RSA, n=b64(b"\x81" + bytes(126) + b"\x01")),
    "modulus too long": rsa_jwk("k", RSA, n=b64(b"\x81" + bytes(2048) + b"\x01")),
    "modulus even": rsa_jwk("k", RSA, n=b64(b"\x81" + bytes(255))),
    "exponent 1": rsa_jwk("k", RSA, e="AQ"),
    "exponent even": rsa_jwk("k", RSA, e="AQAA"),
    "exponent huge": rsa_jwk("k", RSA, e=b64(b"\x01" * 9)),
    "no modulus": rsa_jwk("k", RSA, n=DROP),
}


@pytest.mark.parametrize("jwk", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_key_is_left_out_and_its_neighbours_serve(jwk: object) -> None:
    with pytest.raises(MalformedKeyError):
        parse_key(jwk)
    found, left_out = parse_set({"keys": [jwk, rsa_jwk("good", RSA), jwk]})
    assert found.ids == {"good"}
    assert len(left_out) == 2


def test_a_key_fits_its_own_algorithms_only() -> None:
    p384 = generate_private_key(SECP384R1()).public_key().public_numbers()
    wide = {"kty": "EC", "crv": "P-384", "x": b64(p384.x.to_bytes(48, "big")), "y": b64(p384.y.to_bytes(48, "big"))}
    keys, left_out = parse_set(
        {"keys": [ec_jwk("e", EC), {**wide, "kid": "w"}, rsa_jwk("r", RSA), rsa_jwk("s", RSA, alg="RS512")]}
    )
    assert not left_out
    assert set(keys.keys) == {
        ("e", "ES256"),
        ("w", "ES384"),
        ("r", "RS256"),
        ("r", "RS384"),
        ("r", "RS512"),
        ("s", "RS512"),
    }
    assert keys.get("x", "ES256") is None
    for kid, algorithm in (
        ("e", "RS256"),
        ("r", "ES256"),
        ("w", "ES256"),
        ("s", "RS256"),
        ("r", "HS256"),
        ("e", "none"),
    ):
        with pytest.raises(Rejected) as refused:
            keys.get(kid, algorithm)
        assert refused.value.reason is Reason.KEY_MISMATCH


def test_the_first_of_two_keys_with_one_id_stays() -> None:
    other = generate_rsa(public_exponent=65537, key_size=2048).public_key()
    keys, _ = parse_set({"keys": [rsa_jwk("k", RSA), rsa_jwk("k", other)]})
    alone, _ = parse_set({"keys": [rsa_jwk("k", RSA)]})
    assert keys.keys["k", "RS256"].to_pem() == alone.keys["k", "RS256"].to_pem()


@pytest.mark.parametrize("document", [{}, {"keys": {}}, {"keys": None}, {"keys": [{}] * (MAX_KEYS + 1)}])
def test_a_document_without_a_list_of_keys_is_no_set(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedKeyError):
        parse_set(document)
