# ruff: noqa: ANN401 — the library's own signatures
"""The contract that ``scim2-server`` asks of a storage, run against ours in an application of its own, empty but for a department.

Refusals are problems of ours, which become the library's exceptions here as they become SCIM Errors over HTTP. What does not fit is said
where it is overridden; filters and orders by mail addresses are refused, which the contract takes for an answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any, TypeVar, cast

import pytest
from scim2_models import (
    NotFoundException,
    PreconditionFailedException,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimProvider,
    UniquenessException,
)
from scim2_server.storage import AsyncScimStorage, SearchPage
from scim2_server.testing import SEARCH_USERS, AsyncScimStorageContract, BlockingStorage

from app.application import Application
from app.auth.clients import NewClient
from app.composition import open_application
from app.departments.schemas import DepartmentCreate
from app.intake import ScimSettings
from app.kit.errors import Conflict, NotFound, PreconditionFailed, Problem
from app.scim.desk import ScimDesk
from app.scim.resources import described
from tests.support.application import OPERATOR
from tests.support.stores import TestStore

pytestmark = pytest.mark.slow
T = TypeVar("T")
PROVIDER = described()
CLIENT = "entra"


def translated(problem: Problem) -> SCIMException:
    """Give the exception for what would leave as an Error."""
    match problem:
        case NotFound():
            return NotFoundException()
        case Conflict():
            return UniquenessException()
        case PreconditionFailed():
            return PreconditionFailedException()
        case _:
            raise problem


class OneByOne(AsyncScimStorage):
    """Serves each call as a request of its own: another storage, for the viewer of that moment."""

    def __init__(self, application: Application) -> None:
        self._application, self._desk = application, ScimDesk(application)

    async def _ask(self, ask: Callable[[AsyncScimStorage], Awaitable[T]]) -> T:
        application = self._application
        token = (await application.tokens.mint(application.database.reader, CLIENT)).text
        viewer = await application.standings.of(await application.verifier.verify(token), fresh=True)
        try:
            with PROVIDER:
                return await ask(self._desk.storage(viewer, PROVIDER))
        except Problem as problem:
            raise translated(problem) from problem

    async def get(self, resource_type: ResourceType, resource_id: str, *, response_parameters: Any = None) -> Any:
        return await self._ask(lambda to: to.get(resource_type, resource_id, response_parameters=response_parameters))

    async def search(self, resource_types: Any, search_request: Any, *, position: Any = None) -> SearchPage:
        return await self._ask(lambda to: to.search(resource_types, search_request, position=position))

    async def create(self, resource_type: ResourceType, resource: Any) -> Any:
        return await self._ask(lambda to: to.create(resource_type, resource))

    async def update(self, resource_type: ResourceType, resource: Any, *, expected_version: str | None = None) -> Any:
        return await self._ask(lambda to: to.update(resource_type, resource, expected_version=expected_version))

    async def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        await self._ask(lambda to: to.delete(resource_type, resource_id, expected_version=expected_version))


async def opened(stack: AsyncExitStack, store: TestStore) -> Application:
    """Open an application with a department and a provisioning client, and nobody in it."""
    settings = store.settings.model_copy(update={"scim": ScimSettings(department="NEW")})
    application = await stack.enter_async_context(open_application(settings))
    async with application.database.unit_of_work() as unit:
        await application.departments.create(unit, OPERATOR, DepartmentCreate(code="NEW", name="新人"))
    async with application.database.unit_of_work() as unit:
        await application.clients.add(unit.session, NewClient(CLIENT, "Entra", scopes=("scim",)))
    return application


class TestStorage(AsyncScimStorageContract):
    """The contract, but for what says otherwise here."""

    @pytest.fixture
    def provider(self) -> ScimProvider:
        """Give our own models."""
        return PROVIDER

    @pytest.fixture
    def storage(self, sqlite_store: TestStore) -> Iterator[Any]:
        """Give the storage of a new application."""
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            application = runner.run(opened(stack, sqlite_store))
            yield BlockingStorage(OneByOne(application), runner)
            runner.run(stack.aclose())

    def search_users(self) -> list[dict[str, Any]]:
        """Give the users that are searched, without what is not kept: second mail addresses, empty texts, names of no account."""
        return [
            {
                **{name: value for name, value in each.items() if value != ""},
                "userName": each["userName"].replace("%", "."),
                "emails": [
                    {"type": "work", "value": mail["value"]}
                    for mail in each.get("emails", ())
                    if mail.get("type") == "work"
                ],
            }
            for each in SEARCH_USERS
        ]

    def test_get_keeps_what_the_response_returns(self, storage: Any, group_type: Any, group_model: Any) -> None:
        """The contract's members have a name to display, and ours have none; a group may be read without its members."""
        group = storage.create(group_type, group_model(display_name="admins"))
        parameters = cast("Any", ResponseParameters)[group_model].model_validate({"excludedAttributes": "members"})
        assert storage.get(group_type, group.id, response_parameters=parameters).display_name == "admins"

    def test_search_at_the_root(  # the contract's other types are empty
        self, storage: Any, user_type: Any, group_type: Any, user_model: Any, group_model: Any
    ) -> None:
        """A department is a group beside those that are made, and stands after the users."""
        (user,) = self.create_users(storage, user_type, user_model, "alice")
        self.create_group(storage, group_type, group_model, user)
        asked = self.search_request([user_model, group_model])
        page = self.search(storage, [user_type, group_type], asked)
        assert page.total == 3
        assert [each.meta.resource_type for each in page.resources] == ["User", "Group", "Group"]

    def test_delete_frees_the_unique_values(self, storage: Any, user_type: Any, user_model: Any) -> None:
        """It does not: the account of somebody who is gone stays closed under its name."""
        (user,) = self.create_users(storage, user_type, user_model, "bjensen")
        storage.delete(user_type, user.id)
        with pytest.raises(UniquenessException):
            self.create_users(storage, user_type, user_model, "bjensen")

    def test_update_frees_the_former_unique_values(self, storage: Any, user_type: Any, user_model: Any) -> None:
        """It does not, for the same reason."""
        (user,) = self.create_users(storage, user_type, user_model, "bjensen")
        user.user_name = "babs"
        storage.update(user_type, user)
        with pytest.raises(UniquenessException):
            self.create_users(storage, user_type, user_model, "bjensen")
