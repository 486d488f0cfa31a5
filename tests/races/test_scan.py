"""Nothing protected lies about: not in a database file, not in a write-ahead log, not in what the server prints, not in its document.

The demo company is loaded, read, pushed to and searched through a real server; then every byte that it left behind is searched for every
mobile, mail address and identity number of the demo and of the personnel events, in UTF-8 and in UTF-16, and for every name of an
external contact.
"""

import re
import subprocess
import sys
from collections.abc import Iterator

import httpx
import orjson
import pytest

from app.config import Settings
from app.demo.company import company
from app.main import create_app
from tests.support.server import environment, serving
from tests.support.stores import SqliteTestStore
from tests.support.tree import ROOT

pytestmark = pytest.mark.slow
PROTECTED = ("mobile", "personal_mobile", "email", "personal_email", "id_number", "business_phone", "business_email")
LIKE = tuple(
    re.compile(pattern)
    for pattern in (rb"1380000\d{4}", rb"(?i)[a-z0-9.-]+@example\.(?:com|net)", rb"(?i)990100\d{11}[\dx]")
)
"""What every one of these values looks like; every second byte of a text in UTF-16 is the text."""

EVENTS = ROOT / "docs" / "examples" / "hr-events.jsonl"


def looking_like(content: bytes) -> Iterator[str]:
    """Find everything that could be a mobile, a mail address or an identity number of the demo, in UTF-8 or UTF-16, in any case.

    A store has nothing between one column and the next, so an address may begin at any of the letters before the @.
    """
    for text in (content, content[::2], content[1::2]):
        for pattern in LIKE:
            for found in pattern.findall(text):
                value = found.decode().lower()
                yield from (value[at:] for at in range(value.find("@") + 1 or 1))


def command(store: SqliteTestStore, *words: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words], env=environment(store, **more), capture_output=True, check=True
    )


def test_no_mobile_mail_or_identity_number_of_the_demo_is_left_in_clear(sqlite_store: SqliteTestStore) -> None:
    command(sqlite_store, "demo", "load")
    tokens = {
        name: command(sqlite_store, "token", "mint", name).stdout.decode().strip()
        for name in ("demo-staff", "demo-hr", "hr-system")
    }
    with serving(sqlite_store) as server:
        for name in ("demo-staff", "demo-hr"):
            headers = {"Authorization": f"Bearer {tokens[name]}"}
            page = httpx.get(f"{server.url}/v1/contacts?limit=100&q=e", headers=headers, timeout=30).json()
            assert len(page["items"]) > 5
            httpx.get(f"{server.url}/v1/contacts", params={"q": "13800000001"}, headers=headers)
            outside = httpx.get(f"{server.url}/v1/contacts?limit=100&kind=external", headers=headers, timeout=30).json()
            assert len(outside["items"]) == 40
            httpx.post(f"{server.url}/v1/contacts", json={"name": "x", "mobile": "1380000"}, headers=headers)
        command(sqlite_store, "hr", "push", str(EVENTS), "--url", server.url, DUANHAO_TOKEN=tokens["hr-system"])
        document = httpx.get(f"{server.url}/openapi.json").content
        left = {path.name: path.read_bytes() for path in sqlite_store.settings.data_dir.rglob("*") if path.is_file()}
        assert any(name.endswith("-wal") for name in left), "there is a write-ahead log to look into"
    assert orjson.loads(document) == create_app(Settings()).openapi(), "what it holds does not come from the store"
    left[server.log.name] = server.log.read_bytes()
    secrets = protected_values()
    assert len(secrets) > 6000
    assert secrets <= set(looking_like(" ".join(sorted(secrets)).encode())), "what is looked for is what would be found"
    found = [
        f"{name}: a value of {len(value)} letters"
        for name, content in left.items()
        for value in looking_like(content)
        if value in secrets
    ]
    assert not found, found[:10]
    names = {name.encode(form) for name in sealed_names() for form in ("utf-8", "utf-16-le", "utf-16-be")}
    assert len(names) > 90
    told = [name for name, content in left.items() if any(each in content for each in names)]
    assert not told, "names of external contacts"


def sealed_names() -> set[str]:
    """List the names of external contacts that are not by chance a part of somebody's plain name."""
    plain = [contact.members["name"] for contact in company().contacts if contact.kind != "external"]
    plain += [orjson.loads(line)["data"].get("name", "") for line in EVENTS.read_text(encoding="utf-8").splitlines()]
    names = {contact.members["name"] for contact in company().contacts if contact.kind == "external"}
    return {name for name in names if not any(name in each for each in plain)}


def protected_values() -> set[str]:
    """List every mobile, mail address and identity number of the demo and of the events, in lower case."""
    found: set[str] = set()
    for contact in company().contacts:
        found |= {contact.members[name] for name in PROTECTED if contact.members.get(name)}
    for line in EVENTS.read_text(encoding="utf-8").splitlines():
        data = orjson.loads(line)["data"]
        found |= {data[name] for name in ("mobile", "email") if name in data}
    return {value.lower() for value in found}
