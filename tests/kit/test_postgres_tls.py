"""A database across a network: one address with libpq's TLS options serves every connection of ours, and an authority unknown stops them.

PostgreSQL's wire protocol asks for TLS before anything else, so a small terminator in front of the suite's server is a server with TLS.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import literal, make_url, select, text

from app.audit.sources import PostgresSource
from app.audit.stores import StoreUnavailable
from app.config import DatabaseSettings, Settings
from app.kit.db import Database, PostgresReader
from app.kit.errors import Unavailable
from app.kit.migrate import upgrade
from tests.support.postgres import OWNER, SERVICE, Cluster
from tests.support.stores import PostgresTestStore

_TLS_REQUEST = bytes.fromhex("0000000804d2162f")


@dataclass(frozen=True, slots=True)
class Terminator:
    """Where TLS is taken off, and the certificate to trust."""

    port: int
    certificate: Path
    secured: list[str]


def certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a certificate for ``host`` that vouches for itself; give it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    public, private = folder / f"{host}.pem", folder / f"{host}.key"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        return
    finally:
        writer.close()


@asynccontextmanager
async def terminated(socket: Path, folder: Path, *, named: str = "127.0.0.1") -> AsyncIterator[Terminator]:
    """Take TLS off in front of the server behind ``socket``; the certificate is for the address ``named``."""
    public, private = certificate(folder, named)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(public, private)
    secured: list[str] = []
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if await reader.readexactly(8) != _TLS_REQUEST:
                writer.close()
                return
            writer.write(b"S")
            await writer.start_tls(context)
            secured.append(writer.get_extra_info("ssl_object").version())
            inner, outer = await asyncio.open_unix_connection(socket)
        except (OSError, asyncio.IncompleteReadError):
            writer.close()
            return
        for task in (asyncio.create_task(_pipe(reader, outer)), asyncio.create_task(_pipe(inner, writer))):
            running.add(task)
            task.add_done_callback(running.discard)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield Terminator(server.sockets[0].getsockname()[1], public, secured)
        await asyncio.gather(*running, return_exceptions=True)


def socket_of(store: PostgresTestStore) -> Path:
    folder = str(make_url(store.superuser_dsn).query.get("host", "/nowhere"))
    found = [path for path in Path(folder).glob(".s.PGSQL.*") if not path.name.endswith(".lock")]
    if not found:
        pytest.skip("DUANHAO_TEST_POSTGRES_URL names a server without a Unix socket here")
    return found[0]


def across(cluster: Cluster, store: PostgresTestStore, terminator: Terminator, authority: Path) -> Settings:
    """Give settings that reach the store through the terminator, trusting ``authority``."""
    database = store.service_dsn.partition("?")[0].rpartition("/")[2]
    made = {}
    for member, role in (("url", SERVICE), ("owner_url", OWNER)):
        login = cluster.dsn(database, role).partition("@")[0]
        made[member] = f"{login}@127.0.0.1:{terminator.port}/{database}?sslmode=verify-full&sslrootcert={authority}"
    return store.settings.model_copy(update={"database": DatabaseSettings.model_validate(made)})


async def test_every_connection_verifies(
    postgres_cluster: Cluster, postgres_store: PostgresTestStore, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        terminator = await stack.enter_async_context(terminated(socket_of(postgres_store), tmp_path / "tls"))
        settings = across(postgres_cluster, postgres_store, terminator, terminator.certificate)
        database = Database(settings)
        stack.push_async_callback(database.close)
        async with database.unit_of_work() as unit:
            assert (await unit.session.execute(text("SELECT current_user"))).scalar_one() == SERVICE
        assert await database.reader.fetch(database.reader.prepare(select(literal(1)))) == [(1,)]
        assert database.dsn is not None
        await PostgresSource(database.dsn).extent()
        await asyncio.to_thread(upgrade, settings)
        await database.close()
        assert len(terminator.secured) == 4
        assert set(terminator.secured) <= {"TLSv1.2", "TLSv1.3"}


@pytest.mark.parametrize("fault", ["authority", "name"])
async def test_no_connection_goes_to_a_stranger(
    postgres_cluster: Cluster, postgres_store: PostgresTestStore, tmp_path: Path, fault: str
) -> None:
    named = "127.0.0.2" if fault == "name" else "127.0.0.1"
    async with terminated(socket_of(postgres_store), tmp_path / "tls", named=named) as terminator:
        authority = terminator.certificate if fault == "name" else certificate(tmp_path / "other", "127.0.0.1")[0]
        settings = across(postgres_cluster, postgres_store, terminator, authority)
        database = Database(settings)
        assert isinstance(database.reader, PostgresReader)
        assert database.dsn is not None
        with pytest.raises(Unavailable):
            await database.reader.fetch(database.reader.prepare(select(literal(1))))
        with pytest.raises(Unavailable):
            async with database.unit_of_work() as unit:
                await unit.session.execute(text("SELECT 1"))
        with pytest.raises(StoreUnavailable):
            await PostgresSource(database.dsn).extent()
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncpg.connect(database.dsn)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.to_thread(upgrade, settings)
        await database.close()
        assert terminator.secured == []
