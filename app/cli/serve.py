"""``serve`` and ``worker``."""

import asyncio
import gc
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.config import Settings

Host = Annotated[str | None, typer.Option(help="Address to listen on; default 127.0.0.1.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; default 8000.")]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Server processes; more than one needs PostgreSQL.")]
Demo = Annotated[
    bool, typer.Option("--demo", help="Load the demo company into an empty store, and print calls to paste.")
]


def serve(host: Host = None, port: Port = None, workers: Workers = 1, *, demo: Demo = False) -> None:
    """Serve the API. 提供接口服务。"""
    import uvicorn

    from app import production
    from app.config import Settings
    from app.kit.lock import ServerLock

    settings = Settings()
    chosen_host, chosen_port = host or settings.http.host, settings.http.port if port is None else port
    production.require(settings, serving=production.Serving(workers=workers, demo=demo))
    lock = None
    if not settings.on_postgresql:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = ServerLock(settings.data_dir).acquire()
    try:
        asyncio.run(_require_schema(settings))
        if demo:
            from app.cli.demo import introduce

            introduce(settings, f"http://{chosen_host}:{chosen_port}")
        uvicorn.run(
            "app.cli.serve:application",
            factory=True,
            host=chosen_host,
            port=chosen_port,
            workers=workers,
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=bool(settings.http.proxies),
            forwarded_allow_ips=",".join(settings.http.proxies) or None,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=10,
        )
    finally:
        if lock is not None:
            lock.release()


async def _require_schema(settings: "Settings") -> None:
    """Say that the schema is stale before any process starts, where the operator reads it."""
    from app.kit.db import Database
    from app.kit.migrate import ensure_current

    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings)
    try:
        await ensure_current(settings, database)
    finally:
        await database.close()


def application() -> object:
    """Build the ASGI application of one server process, from the environment.

    Nothing is garbage while modules load, and looking for it takes a seventh of the start; the collector begins when the process is ready.
    """
    gc.disable()
    from app.config import Settings
    from app.main import create_app

    return create_app(Settings())


def worker() -> None:
    """Run the worker process of a PostgreSQL deployment. 运行后台任务进程。"""
    from app.config import Settings
    from app.worker import work

    settings = Settings()
    if not settings.on_postgresql:
        typer.echo("On SQLite the server runs the worker itself. SQLite 模式下由服务进程执行后台任务。", err=True)
        raise typer.Exit(2)
    asyncio.run(work(settings))
