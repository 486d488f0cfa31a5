"""Nothing protected lies about: not in a database file, not in a write-ahead log, not in what the server prints, not in its document.

The demo company is loaded, read, pushed to and searched through a real server; then every byte that it left behind is searched for every
mobile, mail address and identity number of the demo and of the personnel events, in UTF-8 and in UTF-16.
"""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import orjson
import pytest

from app.demo.company import company
from tests.support.server import environment, serving
from tests.support.stores import SqliteTestStore
from tests.support.tree import ROOT

pytestmark = pytest.mark.slow
PROTECTED = ("mobile", "personal_mobile", "email", "personal_email", "id_number")
EVENTS = ROOT / "docs" / "examples" / "hr-events.jsonl"


def forms(value: str) -> Iterator[bytes]:
    """Write a value in every form in which it could lie about."""
    for text in {value, value.lower()}:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text.encode("utf-16-be")


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
            httpx.post(f"{server.url}/v1/contacts", json={"name": "x", "mobile": "1380000"}, headers=headers)
        command(sqlite_store, "hr", "push", str(EVENTS), "--url", server.url, DUANHAO_TOKEN=tokens["hr-system"])
        document = httpx.get(f"{server.url}/openapi.json").content
        left = {path.name: path.read_bytes() for path in sqlite_store.settings.data_dir.rglob("*") if path.is_file()}
        assert any(name.endswith("-wal") for name in left), "there is a write-ahead log to look into"
    left["openapi.json"] = document
    left[server.log.name] = server.log.read_bytes()
    secrets = protected_values()
    assert len(secrets) > 900
    found = [
        f"{name}: a value of {len(value)} letters"
        for name, content in left.items()
        for value in secrets
        if any(form in content for form in forms(value))
    ]
    assert not found, found[:10]


def protected_values() -> set[str]:
    """List every mobile, mail address and identity number of the demo and of the events."""
    found: set[str] = set()
    for contact in company().contacts:
        found |= {contact.members[name] for name in PROTECTED if contact.members.get(name)}
    for line in EVENTS.read_text(encoding="utf-8").splitlines():
        data = orjson.loads(line)["data"]
        found |= {data[name] for name in ("mobile", "email") if name in data}
    return found
