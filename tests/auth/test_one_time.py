"""One-time codes by the vectors of RFC 6238, the steps beside, and the tickets that a form carries."""

import base64
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from app.auth import totp
from app.auth.sign_in_tickets import LIFETIME_SECONDS, Tickets
from app.crypto.errors import SealBroken
from app.crypto.secretbox import SecretBox
from tests.support.clock import FrozenClock

SECRET: Final = b"12345678901234567890"
VECTORS: Final = (
    (59, "287082"),
    (1_111_111_109, "081804"),
    (1_111_111_111, "050471"),
    (1_234_567_890, "005924"),
    (2_000_000_000, "279037"),
    (20_000_000_000, "353130"),
)
"""RFC 6238 appendix B, the last six of eight digits."""


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_vectors_of_the_standard(seconds: int, code: str) -> None:
    step = totp.step_of(seconds)
    assert totp.code_at(SECRET, step) == code
    assert totp.matching_step(SECRET, code, now=seconds) == step


@pytest.mark.parametrize(("apart", "found"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_apart_is_forgiven_and_no_more(apart: int, found: bool) -> None:  # noqa: FBT001 — a column of the table
    now = 1_234_567_890
    step = totp.step_of(now) + apart
    assert totp.matching_step(SECRET, totp.code_at(SECRET, step), now=now) == (step if found else None)


@pytest.mark.parametrize(
    "typed", ["", "00592", "0059244", "00592a", "\uff10\uff10\uff15\uff19\uff12\uff14", "005924\n", "+05924", "5924"]
)
def test_what_is_no_code_matches_nothing(typed: str) -> None:
    assert totp.matching_step(SECRET, typed, now=1_234_567_890) is None


def test_spaces_are_forgiven() -> None:
    assert totp.matching_step(SECRET, " 005 924 ", now=1_234_567_890) is not None


def test_an_app_reads_the_secret_from_the_address() -> None:
    uri = urlsplit(totp.enrolment_uri(SECRET, issuer="Duanhao 短号", user_name="a:b@c?d"))
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert unquote(uri.path) == "/Duanhao 短号:a:b@c?d"
    found = parse_qs(uri.query)
    assert base64.b32decode(found["secret"][0]) == SECRET
    assert (found["algorithm"], found["digits"], found["period"]) == (["SHA1"], ["6"], ["30"])


def test_a_box_opens_in_its_own_place_alone() -> None:
    box = SecretBox(b"k" * 32)
    closed = box.close(b"account-1", SECRET)
    assert SECRET not in closed
    assert closed != box.close(b"account-1", SECRET)
    assert box.open(b"account-1", closed) == SECRET
    for context, bytes_ in ((b"account-2", closed), (b"account-1", closed[:-1] + b"x"), (b"account-1", b"")):
        with pytest.raises(SealBroken):
            box.open(context, bytes_)
    with pytest.raises(SealBroken):
        SecretBox(b"l" * 32).open(b"account-1", closed)
    assert repr(box) == "<secret box>"
    with pytest.raises(TypeError):
        box.__reduce_ex__(4)


def tickets(*, secure: bool = False) -> tuple[Tickets, FrozenClock]:
    clock = FrozenClock()
    return Tickets(b"t" * 32, clock=clock, secure=secure), clock


def test_a_ticket_is_for_its_browser_its_kind_and_its_time() -> None:
    found, clock = tickets()
    nonce, other = found.new_nonce(), found.new_nonce()
    text = found.write("request", nonce, {"a": 1})
    assert found.read("request", nonce, text) == {"a": 1}
    assert found.read("proof", nonce, text) is None
    assert found.read("request", other, text) is None
    assert Tickets(b"u" * 32, clock=clock, secure=False).read("request", nonce, text) is None
    for at in range(len(text)):
        assert found.read("request", nonce, text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]) in (
            None,
            {"a": 1},
        )
    for forged in ("", "x", text[:-4], "状", text[:44]):
        assert found.read("request", nonce, forged) is None
    clock.advance(seconds=LIFETIME_SECONDS)
    assert found.read("request", nonce, text) is None


def test_the_cookie_is_of_this_host_alone_over_https() -> None:
    secure, plain = tickets(secure=True)[0], tickets()[0]
    nonce = secure.new_nonce()
    assert secure.set_cookie(nonce) == (
        f"__Host-duanhao-sign-in={nonce}; Path=/; Max-Age=900; HttpOnly; SameSite=Lax; Secure"
    )
    assert "Secure" not in plain.set_cookie(nonce)
    assert secure.nonce({"__Host-duanhao-sign-in": nonce}) == nonce
    assert secure.nonce({"duanhao-sign-in": nonce}) is None
    assert secure.nonce({"__Host-duanhao-sign-in": "x"}) is None
    assert "Max-Age=0" in plain.drop_cookie()
