"""What the OpenAPI document says is what happens: cases drawn from it, asked of the application, answers held against it.

Schemathesis draws the cases, those that fit the document and those that do not, always the same ones; they are sent in process, from a
thread of their own to the loop that the application was opened in. Whoever asks decides what there is to see: a colleague, the personnel
department, and a program that reads the log.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest
import requests  # type: ignore[import-untyped]  # comes with schemathesis, without types
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, CheckFunction, load_all_checks
from schemathesis.core.failures import FailureGroup

from tests.support.application import World

BASE: Final = "http://duanhao.test"
EXAMPLES: Final = 8
"""Per operation, caller and mode."""
NAMES: Final = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)

Send = Callable[[requests.PreparedRequest], httpx.Response]


def checks() -> list[CheckFunction]:
    load_all_checks()
    return CHECKS.get_by_names(list(NAMES))


def sender(client: httpx.AsyncClient, loop: asyncio.AbstractEventLoop) -> Send:
    """Give a function that sends a request from another thread, as it would go over a wire."""

    def send(prepared: requests.PreparedRequest) -> httpx.Response:
        headers = [(name.encode("latin-1"), value) for name, value in prepared.headers.items()]
        encoded = [(name, value if isinstance(value, bytes) else value.encode("latin-1")) for name, value in headers]
        asked = client.request(prepared.method, prepared.url, headers=encoded, content=prepared.body)
        return asyncio.run_coroutine_threadsafe(asked, loop).result(30)

    return send


def cases(operation: Any, known: list[str]) -> st.SearchStrategy[Case]:  # noqa: ANN401 — its class is no public name
    """Draw cases of an operation; half of those about somebody are about somebody who exists."""
    modes = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    if "{id}" in operation.path:
        modes += [
            st.sampled_from(known).flatmap(
                lambda identity, mode=mode: operation.as_strategy(
                    generation_mode=mode, path_parameters={"id": identity}
                )
            )
            for mode in GenerationMode
        ]
    found: st.SearchStrategy[Case] = st.one_of(modes)
    return found


def fault(operation: Any, drawn: st.SearchStrategy[Case], send: Send, seen: set[int]) -> str | None:  # noqa: ANN401 — as above
    """Ask what was drawn; tell the first answer that is not as the document says, or ``None``."""

    @settings(
        max_examples=2 * EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=drawn)
    def ask(case: Case) -> None:
        prepared = requests.Request(**case.as_transport_kwargs(base_url=BASE)).prepare()
        answer = send(prepared)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=checks())

    try:
        ask()
    except FailureGroup as group:
        return f"{operation.label}: {group.exceptions}\n{group}"
    return None


@pytest.mark.slow
@pytest.mark.parametrize("caller", ["staff", "hr", "siem"])
async def test_every_answer_is_as_the_document_says(sqlite_world: World, caller: str) -> None:
    send = sender(await sqlite_world.as_(caller), asyncio.get_running_loop())
    known = [str(sqlite_world.people[name]) for name in ("bare", "colleague")]
    known += [str(sqlite_world.departments[code]) for code in ("IT", "RD")]
    schema = schemathesis.openapi.from_dict(sqlite_world.app.openapi())

    def ask_all() -> tuple[list[str], set[int]]:
        seen: set[int] = set()
        found = [fault(each.ok(), cases(each.ok(), known), send, seen) for each in schema.get_all_operations()]
        return [each for each in found if each is not None], seen

    faults, seen = await asyncio.to_thread(ask_all)
    assert not faults, "\n\n".join(faults)
    assert {200, 404, 422} <= seen
