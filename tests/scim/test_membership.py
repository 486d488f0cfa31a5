"""Operations on members, by themselves: done on sets, they end as the library ends, and cost no comparison of each with each."""

import itertools
from typing import Any

import pytest
from scim2_models import Context, InvalidValueException, PatchOp, SCIMException

from app.scim import membership
from app.scim.membership import patched
from app.scim.resources import Group, described

PROVIDER = described()
PEOPLE = [f"01936b00-0000-7000-8000-00000000000{at}" for at in range(5)]
SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Group"


def a_group(*members: str) -> Group:
    told = {"schemas": [SCHEMA], "displayName": "x", "members": [{"value": each, "type": "User"} for each in members]}
    return Group.model_validate(told)


def operations(*sent: dict[str, Any]) -> "PatchOp[Group]":
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(sent)}
    return PatchOp[Group].model_validate(body, scim_ctx=Context.RESOURCE_PATCH_REQUEST)


def values(*people: str) -> list[dict[str, str]]:
    return [{"value": each} for each in people]


ONE, TWO, THREE, *_ = PEOPLE
OPERATIONS: list[dict[str, Any]] = [
    {"op": "add", "path": "members", "value": values(TWO, THREE)},
    {"op": "Add", "path": "members", "value": values(ONE)[0]},
    {"op": "remove", "path": "members", "value": values(ONE, THREE)},
    {"op": "remove", "path": f'members[value eq "{TWO}"]'},
    {"op": "remove", "path": "members"},
    {"op": "replace", "path": "members", "value": values(THREE)},
    {"op": "replace", "path": f"{SCHEMA}:members", "value": values(ONE, TWO)},
    {"op": "replace", "value": {"displayName": "y", "members": values(TWO)}},
    {"op": "add", "value": {"members": values(THREE)}},
    {"op": "replace", "path": "displayName", "value": "z"},
    {"op": "replace", "value": {"externalId": "e"}},
    {"op": "replace", "path": "members", "value": []},
]


@pytest.mark.parametrize("sent", [*itertools.permutations(OPERATIONS, 2), *((each,) for each in OPERATIONS)])
@pytest.mark.parametrize("members", [(), (ONE,), (ONE, TWO)])
def test_they_end_as_the_librarys(members: tuple[str, ...], sent: tuple[dict[str, Any], ...]) -> None:
    with PROVIDER:
        ours, theirs = a_group(*members), a_group(*members)
        changed, expected = patched(ours, operations(*sent)), operations(*sent).patch(theirs)

    def told(group: Group) -> Any:  # noqa: ANN401 — a tuple
        return (group.display_name, group.external_id, {each.value for each in group.members or ()})

    assert told(ours) == told(theirs)
    assert changed or not expected or told(ours) == told(a_group(*members))


@pytest.mark.parametrize(
    "sent",
    [
        {"op": "remove", "path": 'members[type eq "User"]'},
        {"op": "remove", "path": "members", "value": [{"type": "User"}]},
        {"op": "add", "path": "members", "value": [{"value": 1}]},
        {"op": "add", "path": "members", "value": ["x"]},
        {"op": "replace", "path": "displayName", "value": None},
        {"op": "replace", "value": {"members": values(ONE), "MEMBERS": values(TWO)}},
    ],
)
def test_what_is_said_otherwise_the_library_reads_and_refuses(sent: dict[str, Any]) -> None:
    ends = []
    for apply in (patched, lambda group, patch: patch.patch(group)):
        group = a_group(ONE, TWO)
        with PROVIDER:
            try:
                apply(group, operations(sent))
            except (SCIMException, ValueError) as error:
                ends.append(type(error).__name__)
            else:
                ends.append(str({each.value for each in group.members or ()}))
    assert ends[0] == ends[1]


def test_what_the_library_would_compare_for_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "MOST_COMPARED", 3)
    by_kind = {"op": "remove", "path": 'members[type eq "User"]'}
    with PROVIDER:
        assert patched(a_group(*PEOPLE[:3]), operations(by_kind))
        for sent in ((by_kind, by_kind), (by_kind, {"op": "add", "path": "members", "value": values(ONE, TWO)})):
            with pytest.raises(InvalidValueException):
                patched(a_group(*PEOPLE[:3]), operations(*sent))
