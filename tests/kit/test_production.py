"""What production refuses, and what it takes: one row each way, all refusals at once, and no word of them repeats a secret."""

import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from random import Random
from typing import Final

import pytest
from sqlalchemy import make_url
from typer.testing import CliRunner

from app.cli.root import app, main
from app.composition import open_application
from app.config import Settings
from app.kit.migrate import ROOT
from app.kit.placeholders import PLACEHOLDERS, is_guessable_key, is_placeholder
from app.production import ProductionRefused, Serving, hosts, is_local, refusals, require

ROOT_KEY: Final = b64encode(Random(7).randbytes(32)).decode()
PASSWORD: Final = "9f1c4b7a02de58c36b1f7ae49d03c58e"
GOOD: Final = {
    "DUANHAO_ENV": "production",
    "DUANHAO_KEYS__PROVIDER": "env",
    "DUANHAO_ROOT_KEY": ROOT_KEY,
    "DUANHAO_TOKENS__ISSUER": "https://directory.corp.cn",
    "DUANHAO_HTTP__PROXIES": '["10.1.2.3"]',
}
URL: Final = "DUANHAO_DATABASE__URL"
OWNER: Final = "DUANHAO_DATABASE__OWNER_URL"
EXTERNAL: Final = '[{{"issuer": "https://login.corp.cn", "jwks_url": "{}", "audience": "duanhao"}}]'
OUT: Final = "DUANHAO_TOKENS__EXTERNAL"


def service(rest: str, *, password: str = PASSWORD, role: str = "duanhao_service") -> str:
    return f"postgresql://{role}:{password}@{rest}"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Give the environment of a good production, in a data directory that is not there."""
    for name in [name for name in os.environ if name.startswith(("DUANHAO_", "PG"))]:
        monkeypatch.delenv(name)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DUANHAO_DATA_DIR", str(tmp_path / "var"))
    return monkeypatch


def codes(**serving: int | bool) -> list[str]:
    chosen = Serving(workers=int(serving.get("workers", 1)), demo=bool(serving.get("demo", False)))
    return sorted(each.code for each in refusals(Settings(), serving=chosen))


TAKEN: Final[list[dict[str, str]]] = [
    {},
    {"DUANHAO_LOG_LEVEL": "warning"},
    {"DUANHAO_HTTP__PROXIES": '["10.1.2.0/24", "2001:db8::1"]'},
    {"DUANHAO_HTTP__CORS_ORIGINS": '["https://portal.corp.cn"]'},
    {"DUANHAO_TOKENS__ISSUER": "https://directory.corp.cn:8443/duanhao"},
    {"DUANHAO_ROOT_KEY": f"{ROOT_KEY},{b64encode(Random(8).randbytes(32)).decode()}"},
    {URL: service("/duanhao?host=/var/run/postgresql")},
    {URL: "postgresql:///duanhao?host=/var/run/postgresql"},
    {URL: "postgresql://duanhao_service@/duanhao"},
    {URL: service("localhost/duanhao")},
    {URL: service("127.0.0.1:6432/duanhao")},
    {URL: service("[::1]/duanhao")},
    {URL: service("db.corp.cn/duanhao?sslmode=verify-full")},
    {URL: service("db.corp.cn/duanhao?sslmode=verify-full&sslrootcert=/etc/ca.pem")},
    {URL: service("/duanhao?host=/run/pg"), OWNER: service("/duanhao?host=/run/pg", role="duanhao_owner")},
    {OUT: EXTERNAL.format("https://login.corp.cn/keys")},
    {"DUANHAO_NOTICES__ALLOWED_NETWORKS": '["10.1.0.0/16"]', "DUANHAO_NOTICES__PUBLIC_URL": "https://d.corp.cn"},
    {"DUANHAO_SMTP__HOST": "mail.corp.cn", "DUANHAO_SMTP__PASSWORD": PASSWORD},
]

REFUSED: Final[list[tuple[dict[str, str], list[str]]]] = [
    ({"DUANHAO_KEYS__PROVIDER": "file"}, ["root_key_generated"]),
    ({"DUANHAO_KEYS__PROVIDER": "file", "DUANHAO_KEYS__FILE": "{var}/keys/root.key"}, ["root_key_generated"]),
    ({"DUANHAO_KEYS__PROVIDER": "file", "DUANHAO_KEYS__FILE": "{var}/../var/other"}, ["root_key_generated"]),
    ({"DUANHAO_ROOT_KEY": b64encode(bytes(32)).decode()}, ["root_key_placeholder"]),
    ({"DUANHAO_ROOT_KEY": b64encode(bytes(range(32))).decode()}, ["root_key_placeholder"]),
    ({"DUANHAO_ROOT_KEY": b64encode(b"this is 32 bytes of plain words!").decode()}, ["root_key_placeholder"]),
    ({"DUANHAO_ROOT_KEY": f"{ROOT_KEY},{b64encode(b'x' * 32).decode()}"}, ["root_key_placeholder"]),
    ({"DUANHAO_HTTP__PROXIES": "[]"}, ["no_proxy"]),
    ({"DUANHAO_HTTP__PROXIES": '["*"]'}, ["proxy_anybody"]),
    ({"DUANHAO_HTTP__PROXIES": '["10.1.2.3", "0.0.0.0/0"]'}, ["proxy_anybody"]),
    ({"DUANHAO_HTTP__PROXIES": '["::/0"]'}, ["proxy_anybody"]),
    ({"DUANHAO_HTTP__PROXIES": '["10.0.0.0/0"]'}, ["proxy_anybody"]),
    ({"DUANHAO_HTTP__PROXIES": '["proxy"]'}, ["proxy_anybody"]),
    ({"DUANHAO_HTTP__CORS_ORIGINS": '["https://portal.corp.cn", "http://localhost:5173"]'}, ["cors_plain"]),
    ({"DUANHAO_TOKENS__ISSUER": "http://127.0.0.1:8000"}, ["issuer_address"]),
    ({"DUANHAO_TOKENS__ISSUER": "http://directory.corp.cn"}, ["issuer_address"]),
    ({"DUANHAO_TOKENS__ISSUER": "https://localhost:8000"}, ["issuer_address"]),
    ({"DUANHAO_TOKENS__ISSUER": "https://[::1]:8000"}, ["issuer_address"]),
    ({"DUANHAO_TOKENS__ISSUER": "https://duanhao.example"}, ["issuer_address"]),
    ({"DUANHAO_TOKENS__ISSUER": "https://directory.example.com/x"}, ["issuer_address"]),
    ({"DUANHAO_TOKENS__ISSUER": "directory"}, ["issuer_address"]),
    ({OUT: EXTERNAL.format("http://login.corp.cn/keys")}, ["issuer_keys_plain"]),
    ({"DUANHAO_NOTICES__PLAIN_LOOPBACK": "true"}, ["webhooks_anywhere"]),
    ({"DUANHAO_NOTICES__ALLOWED_NETWORKS": '["10.0.0.0/8", "0.0.0.0/0"]'}, ["webhooks_anywhere"]),
    ({"DUANHAO_NOTICES__ALLOWED_NETWORKS": '["::/0"]'}, ["webhooks_anywhere"]),
    ({"DUANHAO_NOTICES__PUBLIC_URL": "http://directory.corp.cn"}, ["links_plain"]),
    ({"DUANHAO_NOTICES__PORTAL_URL": "http://portal.corp.cn"}, ["links_plain"]),
    ({"DUANHAO_SMTP__HOST": "mail.corp.cn", "DUANHAO_SMTP__PASSWORD": "changeme"}, ["placeholder_secret"]),
    ({"DUANHAO_LOG_LEVEL": "debug"}, ["log_level_debug"]),
    ({URL: service("db.corp.cn/duanhao")}, ["database_tls"]),
    ({URL: service("10.0.0.5/duanhao")}, ["database_tls"]),
    ({URL: service("db.corp.cn/duanhao?sslmode=require")}, ["database_tls"]),
    ({URL: service("db.corp.cn/duanhao?sslmode=verify-ca")}, ["database_tls"]),
    ({URL: service("db.corp.cn/duanhao?sslmode=disable")}, ["database_tls"]),
    ({URL: service("/duanhao?host=db.corp.cn")}, ["database_tls"]),
    ({URL: service("/duanhao?host=/run/pg,db.corp.cn:5432")}, ["database_tls"]),
    ({URL: service("/duanhao"), "PGHOST": "db.corp.cn"}, ["database_tls"]),
    ({URL: service("/duanhao?host=/run/pg", password="duanhao")}, ["placeholder_secret"]),
    ({URL: service("/duanhao?host=/run/pg", password="")}, ["placeholder_secret"]),
    ({URL: service("localhost/duanhao", password="change-me")}, ["placeholder_secret"]),
    ({URL: service("localhost/duanhao", password="aaaaaaaaaaaaaaaaaaaa")}, ["placeholder_secret"]),
    ({URL: service("localhost:port/duanhao")}, ["database_address"]),
    (
        {URL: service("/duanhao?host=/run/pg"), OWNER: service("/duanhao?host=/run/pg", password="owner")},
        ["owner_is_service", "placeholder_secret"],
    ),
    ({OWNER: service("db.corp.cn/duanhao", role="duanhao_owner")}, ["database_tls"]),
]


@pytest.mark.parametrize("given", TAKEN, ids=str)
def test_taken(environment: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in given.items():
        environment.setenv(name, value)
    assert codes() == []
    require(Settings(), serving=Serving())


@pytest.mark.parametrize(("given", "expected"), REFUSED, ids=str)
def test_refused(environment: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], expected: list[str]) -> None:
    for name, value in given.items():
        environment.setenv(name, value.replace("{var}", str(tmp_path / "var")))
    assert codes() == expected
    with pytest.raises(ProductionRefused) as refused:
        require(Settings(), serving=Serving())
    assert PASSWORD not in str(refused.value)
    assert given.get("DUANHAO_ROOT_KEY", ROOT_KEY) not in str(refused.value)
    for each in refused.value.refusals:
        assert "\n" not in each.line()
        assert all((each.what.en, each.mend.en))
        assert all(re.search(r"[\u4e00-\u9fff]", words) for words in (each.what.zh, each.mend.zh))
    environment.setenv("DUANHAO_ENV", "development")
    assert codes() == []


@pytest.mark.parametrize(
    ("env", "url", "serving", "expected"),
    [
        ("production", None, {"workers": 2}, ["sqlite_workers"]),
        ("production", None, {"workers": 1}, []),
        ("production", "postgresql:///x?host=/run/pg", {"workers": 4}, []),
        ("production", None, {"demo": True}, ["demo"]),
        ("production", None, {"workers": 2, "demo": True}, ["demo", "sqlite_workers"]),
        ("development", None, {"workers": 2}, ["sqlite_workers"]),
        ("development", None, {"demo": True}, []),
        ("development", "postgresql:///x?host=/run/pg", {"workers": 4, "demo": True}, []),
    ],
)
def test_how_it_is_served(
    environment: pytest.MonkeyPatch, env: str, url: str | None, serving: dict[str, int], expected: list[str]
) -> None:
    environment.setenv("DUANHAO_ENV", env)
    if url is not None:
        environment.setenv(URL, url)
    assert codes(**serving) == expected


def test_who_serves_nobody_needs_no_proxy(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("DUANHAO_HTTP__PROXIES", "[]")
    assert refusals(Settings()) == []


def test_a_migration_is_asked_about_its_database_alone(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("DUANHAO_ROOT_KEY")
    environment.setenv("DUANHAO_KEYS__PROVIDER", "file")
    environment.setenv("DUANHAO_TOKENS__ISSUER", "http://127.0.0.1")
    environment.setenv(OWNER, service("/duanhao?host=/run/pg"))
    require(Settings(), migrating=True)
    environment.setenv(OWNER, service("db.corp.cn/duanhao"))
    with pytest.raises(ProductionRefused, match="database_tls"):
        require(Settings(), migrating=True)
    environment.setenv("DUANHAO_ENV", "development")
    require(Settings(), migrating=True)


def test_a_root_key_file_is_read_too(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("DUANHAO_KEYS__PROVIDER", "file")
    environment.setenv("DUANHAO_KEYS__FILE", str(tmp_path / "root.key"))
    for key, expected in ((Random(9).randbytes(32), []), (b"k" * 32, ["root_key_placeholder"])):
        (tmp_path / "root.key").write_bytes(b64encode(key))
        (tmp_path / "root.key").chmod(0o600)
        assert codes() == expected


async def test_no_way_into_the_store_leads_past_it(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    environment.setenv("DUANHAO_LOG_LEVEL", "debug")
    with pytest.raises(ProductionRefused, match="log_level_debug"):
        async with open_application(Settings()):
            pass
    assert not (tmp_path / "var").exists()


FAULTS: Final = ("root_key_placeholder", "database_tls", "issuer_address", "log_level_debug")


@pytest.fixture
def careless(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set up production with four faults, and a password that nobody may print."""
    environment.setenv("DUANHAO_LOG_LEVEL", "debug")
    environment.setenv("DUANHAO_TOKENS__ISSUER", "http://127.0.0.1:8000")
    environment.setenv("DUANHAO_ROOT_KEY", b64encode(b"k" * 32).decode())
    environment.setenv(URL, service("db.corp.cn/duanhao", password="hunter2hunter2hunter2"))
    return environment


def refused(told: str) -> list[str]:
    """Read what was refused from what a command wrote to standard error."""
    return [line.removeprefix("duanhao: ").partition(":")[0] for line in told.splitlines()]


def test_a_server_that_is_refused_says_so_and_ends_with_2(careless: pytest.MonkeyPatch, tmp_path: Path) -> None:
    del careless
    command = [sys.executable, "-m", "app.cli", "serve", "--demo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, refused(done.stderr)) == (2, ["demo", *FAULTS])
    assert "hunter2" not in done.stderr + done.stdout
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["worker"], FAULTS),
        (["db", "upgrade"], ("database_tls",)),
        (["keys", "init"], FAULTS),
        (["keys", "status"], FAULTS),
        (["token", "mint", "hr-system", "--reason", "ticket 7"], FAULTS),
        (["clients", "list"], FAULTS),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_every_refusal_is_a_line_and_the_exit_code_is_2(
    careless: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    command: list[str],
    expected: tuple[str, ...],
) -> None:
    careless.setattr(sys, "argv", ["duanhao", *command])
    with pytest.raises(SystemExit) as left:
        main()
    told = capfd.readouterr()
    assert (left.value.code, tuple(refused(told.err))) == (2, expected)
    assert "hunter2" not in told.err + told.out
    assert not (tmp_path / "var").exists()


def test_the_demo_is_refused_by_its_own_command_too(environment: pytest.MonkeyPatch) -> None:
    del environment
    done = CliRunner().invoke(app, ["demo", "load"])
    assert done.exit_code == 2
    assert "production takes no demo" in done.output


@pytest.mark.parametrize("word", sorted(PLACEHOLDERS))
def test_a_known_word_is_no_secret(word: str) -> None:
    for written in (word, word.upper(), f"{word}123", f"<{word}>", "-".join(word), f" {word}! "):
        assert is_placeholder(written)


GUESSABLE: Final = """
short ${POSTGRES_PASSWORD} {{password}} <put-the-password-here> xxxxxxxxxxxxxxxx ****************
abcdefghijklmnopqrst 01234567890123456789 abababababababababab zzzzzzzzzzzzz
"""


@pytest.mark.parametrize("written", ["", *GUESSABLE.split()])
def test_what_could_be_guessed_is_no_secret(written: str) -> None:
    assert is_placeholder(written)


def test_random_secrets_are_taken() -> None:
    random = Random(2026)
    for _ in range(2000):
        assert not is_placeholder(random.randbytes(16).hex())
        assert not is_placeholder(b64encode(random.randbytes(18)).decode())
        assert not is_guessable_key(random.randbytes(32))


@pytest.mark.parametrize(
    ("address", "named", "local"),
    [
        ("postgresql:///x", [], True),
        ("postgresql://u@/x?host=/run/pg", ["/run/pg"], True),
        ("postgresql://u@/x?host=/run/pg:5433", ["/run/pg:5433"], True),
        ("postgresql://u@127.9.9.9:1/x", ["127.9.9.9"], True),
        ("postgresql://u@[::1]:1/x", ["::1"], True),
        ("postgresql://u@LOCALHOST/x", ["LOCALHOST"], True),
        ("postgresql://u@localhost.corp.cn/x", ["localhost.corp.cn"], False),
        ("postgresql://u@127.0.0.1/x?host=db", ["127.0.0.1", "db"], False),
        ("postgresql://u@/x?host=a:1&host=localhost:2", ["a", "localhost"], False),
        ("postgresql://u@192.168.1.1/x", ["192.168.1.1"], False),
    ],
)
def test_what_is_local(address: str, named: list[str], local: bool) -> None:  # noqa: FBT001 — a column of the table
    assert hosts(make_url(address)) == named
    assert is_local(make_url(address)) is local
