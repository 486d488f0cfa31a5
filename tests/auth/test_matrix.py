"""Forged, expired and odd tokens: one line each, with the check that has to stop it.

And nothing is changed by any of them.
"""

import json
from collections.abc import Callable
from typing import Final

import pytest
from structlog.testing import capture_logs

from app.auth.errors import TokenExpired, TokenRejected
from app.auth.reasons import Reason
from app.auth.subject import Person, Service
from tests.auth.forge import (
    DROP,
    ISSUER,
    NEXT,
    OTHER_TENANT,
    OURS,
    STRANGER,
    TENANT,
    TENANT_KEY,
    Forge,
    b64,
    ec_jwk,
    es256_der,
    public_forms,
    rsa_jwk,
    segment,
    tenant_public_forms,
)
from tests.auth.world import World

Make = Callable[[Forge], str]
HEAD: Final = ("typ", "alg", "kid")
FAR: Final = 10**6


def _respelt(f: Forge, part: int, change: Callable[[str], str]) -> str:
    parts = list(f.parts())
    parts[part] = change(parts[part])
    return ".".join(parts)


def _last_bits(text: str) -> str:
    """Set bits that canonical base64url leaves zero: a 64-byte signature ends in four of them."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) | 1]


def _der_signature(f: Forge) -> str:
    message = f"{segment(f.header)}.{segment(f.claims)}"
    return f"{message}.{b64(es256_der(OURS, message.encode()))}"


def _raw_header(f: Forge, text: str) -> str:
    return f.signed(header=text.encode())


GOOD: Final[list[tuple[str, Make]]] = [
    ("plain", lambda f: f.signed()),
    ("aud in a list", lambda f: f.signed(aud=["other", "duanhao"])),
    ("application/ type", lambda f: f.signed(header={"typ": "application/AT+JWT"})),
    ("key that is published next", lambda f: f.signed(key=NEXT, header={"kid": "next"})),
    ("expired within the leeway", lambda f: f.signed(iat=f.now - 99, nbf=f.now - 99, exp=f.now - 29)),
    ("from a clock ahead within the leeway", lambda f: f.signed(iat=f.now + 30, nbf=f.now + 30)),
    ("name in capitals", lambda f: f.signed(sub="DEMO-Staff")),
    ("forged tier, roles and department", lambda f: f.signed(tier="T5", roles=["infosec"], department="EXEC")),
]

BAD: Final[list[tuple[str, Reason, Make]]] = [
    # shape
    ("empty", Reason.SEGMENTS, lambda _: ""),
    ("one part", Reason.SEGMENTS, lambda f: f.parts()[0]),
    ("two parts", Reason.SEGMENTS, lambda f: ".".join(f.parts()[:2])),
    ("four parts", Reason.SEGMENTS, lambda f: f.signed() + ".AAAA"),
    ("five parts, as encrypted", Reason.SEGMENTS, lambda _: "AAAA.AAAA.AAAA.AAAA.AAAA"),
    ("dot in front", Reason.SEGMENTS, lambda f: "." + f.signed()),
    ("two dots", Reason.SEGMENTS, lambda f: f.signed().replace(".", "..", 1)),
    ("oversize", Reason.OVERSIZE, lambda f: f.signed(pad="x" * 9000)),
    ("kid of one megabyte", Reason.OVERSIZE, lambda f: f.signed(header={"kid": "k" * FAR})),
    ("empty header", Reason.BASE64, lambda f: _respelt(f, 0, lambda _: "")),
    ("padded header", Reason.BASE64, lambda f: _respelt(f, 0, lambda part: part + "=")),
    ("padded signature", Reason.BASE64, lambda f: _respelt(f, 2, lambda part: part + "==")),
    ("standard alphabet", Reason.BASE64, lambda f: _respelt(f, 2, lambda part: "+/" + part[2:])),
    ("line break inside", Reason.BASE64, lambda f: _respelt(f, 1, lambda part: part[:8] + "\n" + part[8:])),
    ("trailing line break", Reason.BASE64, lambda f: f.signed() + "\n"),
    ("leading space", Reason.BASE64, lambda f: " " + f.signed()),
    ("letter outside of ASCII", Reason.BASE64, lambda f: _respelt(f, 1, lambda part: "é" + part[1:])),
    ("trailing bits in the signature", Reason.BASE64, lambda f: _respelt(f, 2, _last_bits)),
    ("impossible length", Reason.BASE64, lambda f: _respelt(f, 2, lambda part: part[:85])),
    # algorithm
    ("alg none", Reason.BASE64, lambda f: f.unsigned("none")),
    ("alg none with a signature", Reason.ALGORITHM, lambda f: f.unsigned("none", "AAAA")),
    ("alg None", Reason.ALGORITHM, lambda f: f.unsigned("None", "AAAA")),
    ("alg NONE", Reason.ALGORITHM, lambda f: f.unsigned("NONE", "AAAA")),
    ("alg empty", Reason.ALGORITHM, lambda f: f.unsigned("", "AAAA")),
    ("empty signature", Reason.BASE64, lambda f: _respelt(f, 2, lambda _: "")),
    ("alg in lower case", Reason.ALGORITHM, lambda f: f.signed(header={"alg": "es256"})),
    ("alg missing", Reason.ALGORITHM, lambda f: f.signed(header={"alg": DROP})),
    ("alg a list", Reason.ALGORITHM, lambda f: f.signed(header={"alg": ["ES256"]})),
    ("alg of another curve", Reason.ALGORITHM, lambda f: f.signed(header={"alg": "ES384"})),
    ("alg of another key type", Reason.ALGORITHM, lambda f: f.signed(header={"alg": "RS256"})),
    *(
        (f"HS256 with our public key as {form}", Reason.ALGORITHM, lambda f, secret=secret: f.mac(secret))
        for form, secret in public_forms().items()
    ),
    ("HS512 with our public key", Reason.ALGORITHM, lambda f: f.mac(public_forms()["pem"], alg="HS512")),
    # header
    ("header no JSON", Reason.HEADER_JSON, lambda f: _raw_header(f, "{")),
    ("header a list", Reason.HEADER_JSON, lambda f: _raw_header(f, "[]")),
    ("header in UTF-16", Reason.HEADER_JSON, lambda f: f.signed(header=json.dumps(f.header).encode("utf-16"))),
    ("header member twice", Reason.HEADER_JSON, lambda f: _raw_header(f, '{"alg":"none",' + json.dumps(f.header)[1:])),
    ("unknown header member", Reason.HEADER_MEMBER, lambda f: f.signed(header={"zip": "DEF"})),
    ("unencoded payload", Reason.HEADER_MEMBER, lambda f: f.signed(header={"b64": False})),
    ("nested type", Reason.HEADER_MEMBER, lambda f: f.signed(header={"cty": "JWT"})),
    ("thumbprint an object", Reason.HEADER_MEMBER, lambda f: f.signed(header={"x5t": {}})),
    ("crit", Reason.HEADER_CRITICAL, lambda f: f.signed(header={"crit": ["exp"]})),
    ("crit empty", Reason.HEADER_CRITICAL, lambda f: f.signed(header={"crit": []})),
    ("jku", Reason.HEADER_KEY, lambda f: f.signed(key=STRANGER, header={"jku": "https://evil.example.test/keys"})),
    ("x5u", Reason.HEADER_KEY, lambda f: f.signed(key=STRANGER, header={"x5u": "https://evil.example.test/cert"})),
    ("x5c", Reason.HEADER_KEY, lambda f: f.signed(key=STRANGER, header={"x5c": ["MIIB"]})),
    ("jwk", Reason.HEADER_KEY, lambda f: f.signed(key=STRANGER, header={"jwk": ec_jwk("ours", STRANGER.public_key())})),
    ("typ of another token", Reason.TYPE, lambda f: f.signed(header={"typ": "JWT"})),
    ("typ of a logout token", Reason.TYPE, lambda f: f.signed(header={"typ": "logout+jwt"})),
    ("typ missing", Reason.TYPE, lambda f: f.signed(header={"typ": DROP})),
    ("typ a list", Reason.TYPE, lambda f: f.signed(header={"typ": ["at+jwt"]})),
    ("kid missing", Reason.KID, lambda f: f.signed(header={"kid": DROP})),
    ("kid empty", Reason.KID, lambda f: f.signed(header={"kid": ""})),
    ("kid a list", Reason.KID, lambda f: f.signed(header={"kid": ["ours"]})),
    ("kid a number", Reason.KID, lambda f: f.signed(header={"kid": 0})),
    ("kid a path", Reason.KID, lambda f: f.signed(header={"kid": "../../../../dev/null"})),
    ("kid an address", Reason.KID, lambda f: f.signed(header={"kid": "https://evil.example.test/k"})),
    ("kid SQL", Reason.KID, lambda f: f.signed(header={"kid": "x' UNION SELECT 'k'--"})),
    ("kid too long", Reason.KID, lambda f: f.signed(header={"kid": "k" * 129})),
    ("kid with a zero byte", Reason.KID, lambda f: f.signed(header={"kid": "ours\x00"})),
    ("kid unknown", Reason.KID_UNKNOWN, lambda f: f.signed(header={"kid": "theirs"})),
    # signature
    ("signed by a stranger", Reason.SIGNATURE, lambda f: f.signed(key=STRANGER)),
    ("signed by another of our keys", Reason.SIGNATURE, lambda f: f.signed(key=NEXT)),
    ("signature in DER", Reason.SIGNATURE, _der_signature),
    ("signature of zeros", Reason.SIGNATURE, lambda f: _respelt(f, 2, lambda _: b64(bytes(64)))),
    ("signature short by a byte", Reason.SIGNATURE, lambda f: _respelt(f, 2, lambda _: b64(bytes(63)))),
    ("payload exchanged", Reason.SIGNATURE, lambda f: _respelt(f, 1, lambda _: f.parts(scope="hr:write")[1])),
    (
        "header exchanged",
        Reason.SIGNATURE,
        lambda f: _respelt(f, 0, lambda _: segment({"alg": "ES256", "kid": "ours", "typ": "at+jwt"})),
    ),
    # payload
    ("payload no JSON", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=b"sub=demo-staff")),
    ("payload a string", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=b'"demo-staff"')),
    ("payload with more behind it", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=json.dumps(f.claims).encode() + b"{}")),
    (
        "payload with a byte order mark",
        Reason.PAYLOAD_JSON,
        lambda f: f.signed(raw=b"\xef\xbb\xbf" + json.dumps(f.claims).encode()),
    ),
    ("payload not UTF-8", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=b'{"sub":"\xff"}')),
    ("payload nested too deeply", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=b'{"a":' + b"[" * 5000)),
    ("sub twice", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=f.twice("sub", "demo-ceo"))),
    ("exp twice", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=f.twice("exp", f.now + FAR))),
    ("aud twice", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=f.twice("aud", "other"))),
    ("exp NaN", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=f.literal("exp", "NaN"))),
    ("exp Infinity", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=f.literal("exp", "Infinity"))),
    ("exp of 5000 digits", Reason.PAYLOAD_JSON, lambda f: f.signed(raw=f.literal("exp", "9" * 5000))),
    # issuer and audience
    ("iss missing", Reason.ISSUER, lambda f: f.signed(iss=DROP)),
    ("iss another", Reason.ISSUER, lambda f: f.signed(iss="https://evil.example.test")),
    ("iss a prefix of ours", Reason.ISSUER, lambda f: f.signed(iss=ISSUER[:-1])),
    ("iss with ours as its prefix", Reason.ISSUER, lambda f: f.signed(iss=ISSUER + ".evil.example.test")),
    ("iss with a slash more", Reason.ISSUER, lambda f: f.signed(iss=ISSUER + "/")),
    ("iss in capitals", Reason.ISSUER, lambda f: f.signed(iss=ISSUER.upper())),
    ("iss a list", Reason.ISSUER, lambda f: f.signed(iss=[ISSUER])),
    ("aud another", Reason.AUDIENCE, lambda f: f.signed(aud="payroll")),
    ("aud a longer word", Reason.AUDIENCE, lambda f: f.signed(aud="duanhao-test")),
    ("aud a list without us", Reason.AUDIENCE, lambda f: f.signed(aud=["payroll", "duanhao "])),
    ("aud an empty list", Reason.CLAIM_TYPE, lambda f: f.signed(aud=[])),
    ("aud a list of lists", Reason.CLAIM_TYPE, lambda f: f.signed(aud=[["duanhao"]])),
    ("aud an object", Reason.CLAIM_TYPE, lambda f: f.signed(aud={"duanhao": True})),
    ("aud a long list", Reason.CLAIM_TYPE, lambda f: f.signed(aud=["duanhao"] * 17)),
    # what must be there
    *(
        (f"{name} missing", Reason.CLAIM_MISSING, lambda f, name=name: f.signed(**{name: DROP}))
        for name in ("sub", "aud", "exp", "nbf", "iat", "jti", "client_id", "scope", "epoch")
    ),
    # times
    ("exp a string", Reason.CLAIM_TYPE, lambda f: f.signed(exp=str(f.now + 600))),
    ("exp a float", Reason.CLAIM_TYPE, lambda f: f.signed(exp=f.now + 600.5)),
    ("exp a whole float", Reason.CLAIM_TYPE, lambda f: f.signed(raw=f.literal("exp", f"{f.now + 600}.0"))),
    ("exp 1e400", Reason.CLAIM_TYPE, lambda f: f.signed(raw=f.literal("exp", "1e400"))),
    ("exp true", Reason.CLAIM_TYPE, lambda f: f.signed(exp=True)),
    ("exp null", Reason.CLAIM_TYPE, lambda f: f.signed(exp=None)),
    ("exp negative", Reason.CLAIM_TYPE, lambda f: f.signed(exp=-1)),
    ("exp beyond the calendar", Reason.CLAIM_TYPE, lambda f: f.signed(exp=10**15)),
    ("exp over", Reason.EXPIRED, lambda f: f.signed(iat=f.now - 99, nbf=f.now - 99, exp=f.now - 30)),
    ("exp before iat", Reason.LIFETIME, lambda f: f.signed(iat=f.now + 9, exp=f.now + 9)),
    ("exp before nbf", Reason.LIFETIME, lambda f: f.signed(nbf=f.now + 600)),
    ("nbf in the future", Reason.NOT_YET_VALID, lambda f: f.signed(nbf=f.now + 31)),
    ("nbf a string", Reason.CLAIM_TYPE, lambda f: f.signed(nbf="0")),
    ("iat far in the future", Reason.ISSUED_IN_FUTURE, lambda f: f.signed(iat=f.now + FAR, exp=f.now + FAR + 9)),
    ("iat false", Reason.CLAIM_TYPE, lambda f: f.signed(iat=False)),
    # kinds of token
    ("ID token: nonce", Reason.NOT_AN_ACCESS_TOKEN, lambda f: f.signed(nonce="n")),
    ("ID token: at_hash", Reason.NOT_AN_ACCESS_TOKEN, lambda f: f.signed(at_hash="h")),
    ("refresh token", Reason.NOT_AN_ACCESS_TOKEN, lambda f: f.signed(typ="Refresh")),
    ("logout token", Reason.NOT_AN_ACCESS_TOKEN, lambda f: f.signed(events={})),
    # names
    ("sub a number", Reason.CLAIM_TYPE, lambda f: f.signed(sub=7)),
    ("sub empty", Reason.CLAIM_TYPE, lambda f: f.signed(sub="")),
    ("sub too long", Reason.CLAIM_TYPE, lambda f: f.signed(sub="s" * 129)),
    ("sub with a line break", Reason.CLAIM_TYPE, lambda f: f.signed(sub="demo-staff\n")),
    ("sub with half a letter", Reason.CLAIM_TYPE, lambda f: f.signed(raw=f.literal("sub", r'"\ud800"'))),
    ("sub with a look-alike", Reason.SUBJECT, lambda f: f.signed(sub="demo-staff\N{FULLWIDTH DIGIT ONE}")),
    ("jti a number", Reason.CLAIM_TYPE, lambda f: f.signed(jti=1)),
    ("scope a list", Reason.CLAIM_TYPE, lambda f: f.signed(scope=["contacts:read"])),
    ("scope with two spaces", Reason.CLAIM_TYPE, lambda f: f.signed(scope="contacts:read  scim")),
    ("epoch a string", Reason.CLAIM_TYPE, lambda f: f.signed(epoch="0")),
    ("epoch false", Reason.CLAIM_TYPE, lambda f: f.signed(epoch=False)),
    ("acr a list", Reason.CLAIM_TYPE, lambda f: f.signed(acr=["mfa"])),
    ("auth_time a float", Reason.CLAIM_TYPE, lambda f: f.signed(auth_time=1.5)),
    # what the store knows
    ("person unknown", Reason.SUBJECT_UNKNOWN, lambda f: f.signed(sub="demo-nobody")),
    ("front end unknown", Reason.CLIENT_UNKNOWN, lambda f: f.signed(client_id="extranet")),
    ("service account unknown", Reason.CLIENT_UNKNOWN, lambda f: f.signed(sub="crm", client_id="crm")),
    ("epoch of the past", Reason.EPOCH, lambda f: f.signed(epoch=-1)),
    ("epoch of the future", Reason.EPOCH, lambda f: f.signed(epoch=1)),
    # the issuer outside
    ("Entra: another tenant", Reason.ISSUER, lambda f: f.entra(iss=OTHER_TENANT)),
    (
        "Entra: our key type",
        Reason.ALGORITHM,
        lambda f: f.signed(**f.tenant_claims, header={"kid": "T1", "typ": "JWT"}),
    ),
    ("Entra: our issuer, its key", Reason.ALGORITHM, lambda f: f.entra(iss=ISSUER)),
    ("Entra: for another application", Reason.AUDIENCE, lambda f: f.entra(aud="00000003-0000-0000-c000-000000000000")),
    *(
        (f"Entra: HS256 with its public key as {form}", Reason.ALGORITHM, lambda f, secret=secret: f.entra_mac(secret))
        for form, secret in tenant_public_forms().items()
    ),
    ("Entra: HS512", Reason.ALGORITHM, lambda f: f.entra_mac(tenant_public_forms()["pkcs1-pem"], alg="HS512")),
    ("Entra: alg none", Reason.ALGORITHM, lambda f: f.entra(header={"alg": "none"})),
    ("Entra: alg of more bits than configured", Reason.ALGORITHM, lambda f: f.entra(header={"alg": "RS512"})),
    ("Entra: alg that jose does not have", Reason.ALGORITHM, lambda f: f.entra(header={"alg": "PS256"})),
    ("Entra: our typ", Reason.TYPE, lambda f: f.entra(header={"typ": "at+jwt"})),
    ("Entra: jku to itself", Reason.HEADER_KEY, lambda f: f.entra(header={"jku": "https://login.example.test/keys"})),
    (
        "Entra: jwk of its own",
        Reason.HEADER_KEY,
        lambda f: f.entra(header={"jwk": rsa_jwk("T1", TENANT_KEY.public_key())}),
    ),
    ("Entra: x5c", Reason.HEADER_KEY, lambda f: f.entra(header={"x5c": ["MIIB"]})),
    ("Entra: crit", Reason.HEADER_CRITICAL, lambda f: f.entra(header={"crit": ["x"], "x": 1})),
    ("Entra: kid a path", Reason.KID, lambda f: f.entra(header={"kid": "../T1"})),
    ("Entra: kid a list", Reason.KID, lambda f: f.entra(header={"kid": ["T1"]})),
    ("Entra: kid of ours", Reason.KID_UNKNOWN, lambda f: f.entra(header={"kid": "ours"})),
    ("Entra: iss a prefix", Reason.ISSUER, lambda f: f.entra(iss=TENANT[:-5])),
    ("Entra: iss with more", Reason.ISSUER, lambda f: f.entra(iss=TENANT + "/")),
    ("Entra: iss a list", Reason.ISSUER, lambda f: f.entra(iss=[TENANT])),
    (
        "Entra: iss twice",
        Reason.PAYLOAD_JSON,
        lambda f: f.entra(raw=f.entra_literal("iss", f'"{ISSUER}","iss":"{TENANT}"')),
    ),
    ("Entra: aud a list without us", Reason.AUDIENCE, lambda f: f.entra(aud=["payroll", "duanhao"])),
    ("Entra: exp missing", Reason.CLAIM_MISSING, lambda f: f.entra(exp=DROP)),
    ("Entra: exp a string", Reason.CLAIM_TYPE, lambda f: f.entra(exp=str(f.now + 600))),
    ("Entra: exp a float", Reason.CLAIM_TYPE, lambda f: f.entra(exp=f.now + 600.5)),
    ("Entra: exp NaN", Reason.PAYLOAD_JSON, lambda f: f.entra(raw=f.entra_literal("exp", "NaN"))),
    ("Entra: exp over", Reason.EXPIRED, lambda f: f.entra(exp=f.now - 30, iat=f.now - 99, nbf=f.now - 99)),
    ("Entra: nbf in the future", Reason.NOT_YET_VALID, lambda f: f.entra(nbf=f.now + 31)),
    ("Entra: iat far in the future", Reason.ISSUED_IN_FUTURE, lambda f: f.entra(iat=f.now + FAR, exp=f.now + FAR + 9)),
    ("Entra: sub missing", Reason.CLAIM_MISSING, lambda f: f.entra(sub=DROP)),
    ("Entra: token id a number", Reason.CLAIM_TYPE, lambda f: f.entra(uti=7)),
    ("Entra: client a list", Reason.CLAIM_TYPE, lambda f: f.entra(azp=["intranet"])),
    ("Entra: acr an object", Reason.CLAIM_TYPE, lambda f: f.entra(acr={"mfa": True})),
    ("Entra: auth_time a string", Reason.CLAIM_TYPE, lambda f: f.entra(auth_time="0")),
    ("Entra: logout token", Reason.NOT_AN_ACCESS_TOKEN, lambda f: f.entra(events={})),
    ("Entra: refresh token", Reason.NOT_AN_ACCESS_TOKEN, lambda f: f.entra(typ="Refresh")),
    # tokens to act with
    ("act without more", Reason.CLAIM_TYPE, lambda f: f.signed(act={"sub": "intranet"})),
    ("act a string", Reason.CLAIM_TYPE, lambda f: f.signed(act="intranet", front_end="intranet")),
    (
        "act of another",
        Reason.DELEGATION,
        lambda f: f.signed(act={"sub": "hr-system", "epoch": 0}, front_end="intranet"),
    ),
    (
        "act of a chain",
        Reason.CLAIM_TYPE,
        lambda f: f.signed(act={"sub": "intranet", "epoch": 0, "act": {"sub": "hr-system"}}, front_end="intranet"),
    ),
    (
        "act with an epoch of true",
        Reason.CLAIM_TYPE,
        lambda f: f.signed(act={"sub": "intranet", "epoch": True}, front_end="x"),
    ),
    ("act without a front end", Reason.CLAIM_MISSING, lambda f: f.signed(act={"sub": "intranet", "epoch": 0})),
    (
        "act of a client without the right",
        Reason.DELEGATION,
        lambda f: f.signed(act={"sub": "intranet", "epoch": 0}, front_end="intranet"),
    ),
    (
        "act of a service account for itself",
        Reason.DELEGATION,
        lambda f: f.signed(
            sub="hr-system", client_id="hr-system", act={"sub": "hr-system", "epoch": 0}, front_end="intranet"
        ),
    ),
    ("Entra: ID token", Reason.NOT_AN_ACCESS_TOKEN, lambda f: f.entra(nonce="n", scp=DROP)),
    ("Entra: no token id", Reason.CLAIM_MISSING, lambda f: f.entra(uti=DROP)),
    ("Entra: no client", Reason.CLAIM_MISSING, lambda f: f.entra(azp=DROP)),
    ("Entra: nobody named", Reason.CLAIM_MISSING, lambda f: f.entra(preferred_username=DROP)),
    ("Entra: scp of numbers", Reason.CLAIM_TYPE, lambda f: f.entra(scp=[1])),
    ("Entra: unregistered application", Reason.CLIENT_UNKNOWN, lambda f: f.entra(scp=DROP, sub="p", oid="p", azp="zz")),
]


def test_the_matrix_is_as_long_as_promised_and_names_each_line_once() -> None:
    names = [name for name, *_ in (*GOOD, *BAD)]
    assert len(BAD) >= 40
    assert len(names) == len(set(names))


@pytest.mark.parametrize(("name", "make"), GOOD, ids=[name for name, _ in GOOD])
async def test_a_good_token_is_taken(quick: World, name: str, make: Make) -> None:
    subject = await quick.verifier.verify(make(quick.forge))
    assert isinstance(subject, Person), name
    assert (subject.user_name, subject.client_id) == ("demo-staff", "intranet")
    assert subject.scopes == {"contacts:read", "contacts:reveal"}


@pytest.mark.parametrize(("name", "reason", "make"), BAD, ids=[name for name, *_ in BAD])
async def test_a_bad_token_is_stopped_by_its_check_and_changes_nothing(
    quick: World, name: str, reason: Reason, make: Make
) -> None:
    before = await quick.dump()
    token = make(quick.forge)
    with capture_logs() as logs, pytest.raises(TokenRejected) as refused:
        await quick.verifier.verify(token)
    assert refused.value.reason is reason, name
    assert isinstance(refused.value, TokenExpired) == (reason is Reason.EXPIRED)
    assert (refused.value.status, refused.value.code) == (
        401,
        "token_expired" if reason is Reason.EXPIRED else "invalid_token",
    )
    assert refused.value.__cause__ is None, "a cause would carry parts of the token into tracebacks"
    assert not quick.verifier._remembered
    assert await quick.dump() == before
    assert all(part not in repr(logs) for part in token.split(".") if len(part) > 16)


async def test_every_refusal_but_expiry_reads_the_same(quick: World) -> None:
    answers = set()
    for _, reason, make in BAD:
        with pytest.raises(TokenRejected) as refused:
            await quick.verifier.verify(make(quick.forge))
        if reason is not Reason.EXPIRED:
            answers.add((refused.value.code, refused.value.detail, str(refused.value.headers), str(refused.value)))
    assert len(answers) == 1


@pytest.mark.parametrize("scope", ["", "hr:write", "hr:write scim"])
async def test_a_service_account_is_its_own_client(quick: World, scope: str) -> None:
    token = quick.forge.signed(sub="hr-system", client_id="hr-system", scope=scope)
    assert await quick.verifier.verify(token) == Service("hr-system", frozenset(scope.split()))


async def test_a_token_never_carries_more_than_its_holder_may(quick: World) -> None:
    wide = "access-log:read contacts:read hr:write numbers:admin scim"
    service = await quick.verifier.verify(quick.forge.signed(sub="hr-system", client_id="hr-system", scope=wide))
    person = await quick.verifier.verify(quick.forge.signed(scope=wide))
    assert service.scopes == {"hr:write", "scim"}
    assert person.scopes == {"contacts:read"}
