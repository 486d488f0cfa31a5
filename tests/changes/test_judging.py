"""The rules by which a caller is told of changes, without a store: against what the whole life of a contact says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, get_args
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.changes.judging import POSITIONS, PROTECTED, Change, Sight, Told, of_contact, of_department
from app.changes.schemas import ChangeItem, Group
from app.contacts.fields import CATALOGUE
from app.contacts.tracing import groups_of
from app.permissions.outcomes import FieldClass, Outcome, Power
from app.permissions.plan import Cohort, CohortKey
from app.traces.trace import CARD, NUMBERS, PLACEMENT, PLAIN_GROUPS, STATUS, TAGS, Numbered, Sort, Trace

WHO: Final = UUID(int=7)
NOW: Final = datetime(2026, 11, 22, tzinfo=UTC)
SEEN: Final = CohortKey("employee", "regular", "active", "normal", ())
BARE: Final = SEEN._replace(secrecy="core")
GONE: Final = SEEN._replace(status="left")
STATES: Final = {b"seen": SEEN, b"bare": BARE, b"gone": GONE}
NAMES: Final = {key: name for name, key in STATES.items()}


def verdict(key: CohortKey) -> Cohort:
    """Show whoever has not left; of whom is guarded, C1 alone."""
    shows = {each: Outcome.CLEAR if key == SEEN or each is FieldClass.C1 else Outcome.HIDDEN for each in FieldClass}
    nothing: Any = MappingProxyType({})
    return Cohort(
        visible=key != GONE,
        shows=shows,
        reveals=shows,
        reasons=nothing,
        requests=nothing,
        granted=nothing,
        granted_by=(),
        powers=MappingProxyType(dict.fromkeys(Power, frozenset())),
        lookups=frozenset(),
        edit_requests=nothing,
        obligations=(),
        rules=(),
    )


def sight(present: CohortKey | None, *untold: str) -> Sight:
    return Sight(
        present=present,
        decide=verdict,
        untold=frozenset(untold),
        before=lambda trace: None if trace.before is None else STATES[trace.before],
    )


def numbered(at: int, trace: Trace, version: int | None = None) -> Numbered:
    return Numbered(at, version or at, NOW, trace)


def trace(sort: Sort = Sort.UPDATED, *groups: str, before: CohortKey | None = None) -> Trace:
    return Trace(
        type="contact",
        subject=WHO,
        sort=sort,
        groups=groups,
        before=None if before is None else NAMES[before],
    )


def judged(found: Sight, *traces: Trace) -> list[Told]:
    return [told for _, told in of_contact(found, [numbered(at, each) for at, each in enumerate(traces, 1)], [])]


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (None, SEEN, "created"),
        (None, GONE, None),
        (SEEN, GONE, "removed"),
        (BARE, GONE, "removed"),
        (GONE, SEEN, "created"),
        (SEEN, SEEN, "moved"),
    ],
)
def test_what_is_told_follows_from_being_seen_before_and_after(
    before: CohortKey | None, after: CohortKey, change: Change | None
) -> None:
    sort = Sort.CREATED if before is None else Sort.MOVED
    boxed = before if before not in (None, after) else None
    told = judged(sight(after), trace(sort, PLACEMENT, before=boxed))
    groups = (PLACEMENT,) if change == "moved" else ()
    assert told == ([] if change is None else [Told("contact", WHO, change, groups)])


@pytest.mark.parametrize(
    ("sort", "change"),
    [(Sort.UPDATED, "updated"), (Sort.MOVED, "moved"), (Sort.LEFT, "left"), (Sort.ARCHIVED, "archived")],
)
def test_hidden_and_archived_are_removed_alike_and_told_apart_to_whoever_still_sees(sort: Sort, change: Change) -> None:
    assert judged(sight(GONE), trace(sort, STATUS, before=SEEN)) == [Told("contact", WHO, "removed")]
    assert judged(sight(SEEN), trace(sort, STATUS)) == [Told("contact", WHO, change, (STATUS,))]


@pytest.mark.parametrize(
    ("groups", "untold", "shown"),
    [
        ((CARD,), ("C3",), (CARD,)),
        (("C3",), ("C3",), None),
        (("C2", "C3"), ("C3",), (PROTECTED,)),
        ((TAGS, "C5", CARD), ("C3", "C5"), (CARD, TAGS)),
        ((), (), None),
    ],
)
def test_a_change_of_what_is_not_shown_is_none(
    groups: tuple[str, ...], untold: tuple[str, ...], shown: tuple[str, ...] | None
) -> None:
    told = judged(sight(SEEN, *untold), trace(Sort.UPDATED, *groups))
    assert told == ([] if shown is None else [Told("contact", WHO, "updated", shown)])


def test_a_card_that_shows_more_or_less_than_before_has_changed() -> None:
    assert judged(sight(BARE), trace(before=SEEN)) == [Told("contact", WHO, "updated", (PROTECTED,))]


def test_several_traces_of_one_version_are_one_item() -> None:
    traces = [numbered(1, trace(Sort.CREATED), 4), numbered(2, trace(Sort.UPDATED, NUMBERS), 4)]
    assert list(of_contact(sight(SEEN), traces, [])) == [(4, Told("contact", WHO, "created"))]
    moved = [numbered(1, trace(Sort.MOVED, PLACEMENT), 5), numbered(2, trace(Sort.UPDATED, NUMBERS, "C3"), 5)]
    assert list(of_contact(sight(SEEN), moved, [])) == [
        (5, Told("contact", WHO, "moved", (PLACEMENT, NUMBERS, PROTECTED)))
    ]


def test_of_a_row_that_cannot_be_believed_nothing_but_its_going_is_told() -> None:
    traces = [numbered(1, trace(Sort.UPDATED, CARD)), numbered(2, trace(Sort.UPDATED, CARD))]
    assert list(of_contact(sight(None), traces, [])) == []


@given(
    st.lists(st.tuples(st.sampled_from([SEEN, BARE, GONE]), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 12),
    st.integers(0, 12),
)
def test_any_page_tells_what_the_whole_life_says(life: list[tuple[CohortKey, bool]], since: int, until: int) -> None:
    """States are read back from the boxes of later changes and the present row, wherever the page begins and ends."""
    every: list[Numbered] = []
    expected: dict[int, str] = {}
    before: CohortKey | None = None
    present = life[-1][0]
    for version, (state, named) in enumerate(life, 1):
        sort = Sort.CREATED if before is None else Sort.UPDATED
        boxed = before if before not in (None, state) else None
        every.append(numbered(version, trace(sort, *((CARD,) if named else ()), before=boxed)))
        was, now = before not in (None, GONE), state != GONE
        if was and not now:
            expected[version] = "removed"
        elif now and present != GONE and not was:
            expected[version] = "created"
        elif now and present != GONE and (named or before != state):
            expected[version] = "updated"
        before = state
    page = [each for each in every if since < (each.version or 0) <= until]
    later = [each for each in every if each.trace.before is not None and page and each.seq > page[0].seq]
    found = {version: told.change for version, told in of_contact(sight(present), page, later)}
    assert found == {version: change for version, change in expected.items() if since < version <= until}


def department(sort: Sort, *groups: str, about: UUID | None = None) -> Trace:
    return Trace(type="department", subject=WHO, sort=sort, groups=groups, about=about)


@pytest.mark.parametrize(
    ("traces", "is_there", "change", "groups"),
    [
        ([department(Sort.CREATED, CARD)], True, "created", ()),
        ([department(Sort.CREATED, CARD)], False, None, ()),
        ([department(Sort.MOVED, CARD, PLACEMENT)], True, "moved", (CARD, PLACEMENT)),
        ([department(Sort.REMOVED)], False, "removed", ()),
        ([department(Sort.UPDATED), department(Sort.UPDATED, about=UUID(int=1))], True, "updated", (POSITIONS,)),
        ([department(Sort.UPDATED), department(Sort.UPDATED, about=UUID(int=2))], True, None, ()),
    ],
)
def test_departments_are_everybodys_and_their_holders_are_not(
    traces: Sequence[Trace],
    is_there: bool,  # noqa: FBT001 — a column of the table
    change: Change | None,
    groups: tuple[str, ...],
) -> None:
    found = [numbered(at, each, 3) for at, each in enumerate(traces, 1)]
    told = list(of_department(found, is_there=is_there, known=frozenset({UUID(int=1)})))
    assert told == ([] if change is None else [(3, Told("department", WHO, change, groups))])


@pytest.mark.parametrize("kind", ["employee", "external"])
def test_every_member_of_a_card_is_in_a_group_and_sealed_ones_by_class_alone(kind: str) -> None:
    plain, sealed = CATALOGUE.plain(kind), [each for each in CATALOGUE.declared if kind in each.kinds]
    assert set(groups_of(kind, plain)) <= set(PLAIN_GROUPS)
    assert all(groups_of(kind, [name]) for name in plain)
    assert {groups_of(kind, [each.name]) for each in sealed} <= {("C2",), ("C3",), ("C4",), ("C5",)}
    assert groups_of(kind, ["secrecy", "consented", "user_name_key"]) == ()


def test_what_is_told_fits_its_schema() -> None:
    assert set(get_args(Group)) == {*PLAIN_GROUPS, POSITIONS, PROTECTED}
    for change in get_args(Change):
        item = {"type": "contact", "id": str(uuid4()), "change": change, "groups": []}
        assert ChangeItem.model_validate(item).change == change
    assert replace(trace(), groups=("C5",)).groups == ("C5",)
