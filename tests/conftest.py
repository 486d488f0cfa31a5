"""What holds for every test: no setting from outside, one folder for the run, no stopwatch on examples.

Generated examples are the same in every CI run and new in every run at a desk, which is where a find can be mended.
"""

import gc
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.session import FOLDER, SessionFolder, roomy_memory

pytest_plugins = (
    "tests.support.stores",
    "tests.support.application",
    "tests.support.shared",
    "tests.support.signing",
    "tests.support.witness",
    "tests.support.compiled",
)

_ALIVE = pytest.StashKey[int]()
_COLLECT_AFTER = (50_000, 20, 20)
"""As the service does when it has started (``app.main``)."""

settings.register_profile("duanhao", deadline=None, print_blob=True, derandomize="CI" in os.environ)
settings.load_profile("duanhao")


def pytest_configure(config: pytest.Config) -> None:
    """Open the run's folder in the process that the user started, and find it again in its workers."""
    external = os.environ.get("DUANHAO_TEST_POSTGRES_URL")
    for name in [name for name in os.environ if name.startswith("DUANHAO_") and name != "DUANHAO_TEST_POSTGRES_URL"]:
        del os.environ[name]
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    if given is None:
        memory = roomy_memory()
        if memory is not None:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))
        config.stash[FOLDER], config.stash[_ALIVE] = SessionFolder.open(external=external)
    else:
        config.stash[FOLDER] = SessionFolder(Path(given["duanhao_folder"]), external=external)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while tests are collected, and leave them and the modules out of every later collection.

    Sixteen thousand tests are half a million objects: to walk them took a second, several times a minute.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
        gc.set_threshold(*_COLLECT_AFTER)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 — pytest-xdist's worker has no public type
    """Tell a worker where the folder of the run is."""
    node.workerinput["duanhao_folder"] = str(node.config.stash[FOLDER].root)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and remove the folder, once, at the very end."""
    if _ALIVE in config.stash:
        config.stash[FOLDER].close()
        os.close(config.stash[_ALIVE])
