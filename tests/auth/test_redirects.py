"""Redirect URIs: what may be registered, how an answer is written behind one."""

from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest

from app.auth.redirects import MAX_URI, is_redirect_uri, origin_of, with_answer

GOOD: Final = (
    "https://intranet.example.com/callback",
    "https://intranet.example.com",
    "https://intranet.example.com:8443/a/b?tenant=1&x=%20",
    "https://[2001:db8::1]/cb",
    "http://127.0.0.1:3000/callback",
    "http://localhost/cb",
    "http://[::1]:9000/",
    "cn.example.directory:/signed-in",
)
BAD: Final = (
    "",
    "/callback",
    "//intranet.example.com/callback",
    "intranet.example.com/callback",
    "https:///callback",
    "https://intranet.example.com/callback#part",
    "https://intranet.example.com/callback#",
    "https://user@intranet.example.com/",
    "https://user:secret@intranet.example.com/",
    "https://intranet.example.com\\@evil.example/",
    "https://intranet.example.com/\r\nLocation:x",
    "https://intranet.example.com/a b",
    "https://intranet.example.com/路径",
    "https://*.example.com/",
    "https://intranet.example.com:0/",
    "https://intranet.example.com:99999/",
    "https://intranet.example.com:/",
    "https://-x.example.com/",
    "https://x;script-src.example.com/",
    "https://'x'.example.com/",
    "http://intranet.example.com/callback",
    "http://127.0.0.1.example.com/",
    "http://0.0.0.0/",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "app:/cb",
    "cn.example.directory:signed-in",
    "https://intranet.example.com/" + "x" * MAX_URI,
)


@pytest.mark.parametrize("uri", GOOD)
def test_what_may_be_registered(uri: str) -> None:
    assert is_redirect_uri(uri)


@pytest.mark.parametrize("uri", BAD)
def test_what_may_not(uri: str) -> None:
    assert not is_redirect_uri(uri)


def test_an_answer_is_appended_and_can_begin_nothing_new() -> None:
    evil = "x&code=other\r\nSet-Cookie: a=b#"
    for uri in GOOD:
        written = with_answer(uri, {"code": "abc", "state": evil})
        assert written.startswith(uri)
        assert "\r" not in written
        assert "\n" not in written
        parts = urlsplit(written)
        assert parts.fragment == ""
        assert {name: value for name, value in parse_qs(parts.query).items() if name in {"code", "state"}} == {
            "code": ["abc"],
            "state": [evil],
        }


def test_an_origin_is_what_a_policy_names() -> None:
    assert [origin_of(uri) for uri in (GOOD[2], GOOD[4], GOOD[7])] == [
        "https://intranet.example.com:8443",
        "http://127.0.0.1:3000",
        "cn.example.directory:",
    ]
