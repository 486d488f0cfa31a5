"""Commands that ask a running service, against the shared company as one serves it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from typer.testing import CliRunner

from app.cli.root import app
from tests.support.application import World
from tests.support.server import free_port


class Shell:
    """Runs commands of one noun with a caller's token."""

    def __init__(self, noun: str, url: str, token: str) -> None:
        self._noun, self._environment = noun, {"DUANHAO_URL": url, "DUANHAO_TOKEN": token}

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Give the exit code of ``duanhao NOUN …`` and what it says, which is where complaints go when it complains."""
        called = [self._noun, *arguments]
        done = await asyncio.to_thread(CliRunner().invoke, app, called, env=self._environment)
        return done.exit_code, done.stdout if done.exit_code == 0 else done.stderr

    async def does(self, *arguments: str) -> str:
        """Give the output of what must succeed."""
        code, output = await self.run(*arguments)
        assert code == 0, output
        return output.strip()


@asynccontextmanager
async def shell_of(world: World, noun: str, who: str) -> AsyncIterator[Shell]:
    """Serve a company, and call it as ``who``."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(world.app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 — uvicorn offers a flag and no event
        await asyncio.sleep(0.01)
    try:
        yield Shell(noun, f"http://127.0.0.1:{port}", await world.token(who))
    finally:
        server.should_exit = True
        await serving
