"""How far decisions reach that are given away: two hands, no ring, nobody his own, and the same seen from either end."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.approvals.delegation_rules import (
    MOST_DEEP,
    Cause,
    Delegated,
    Fault,
    Kinds,
    Reason,
    StandIn,
    acting_for,
    common,
    covers,
    deputies,
    fault,
    leads,
)
from app.departments.tree import Node, Tree
from app.permissions.outcomes import Tier
from app.permissions.plan import Standing

A, B, C, D, E = PEOPLE = tuple(UUID(int=at) for at in range(1, 6))
DAY: Final = timedelta(days=1)
NOON: Final = datetime(2026, 11, 20, 12, tzinfo=UTC)
ALONE: Final[Mapping[UUID, UUID]] = {}
REVEAL: Final = frozenset({"field.reveal"})
GRANT: Final = frozenset({"tier.grant"})
KINDS: Final = ("field.reveal", "tier.grant")


def gives(
    principal: UUID,
    delegate: UUID,
    kinds: Kinds = None,
    *,
    since: float = 0,
    days: float = 7,
    at: int = 0,
    ended: bool = False,
) -> Delegated:
    """Make a delegation that begins ``since`` days after noon."""
    starts = NOON + since * DAY
    return Delegated(
        id=UUID(int=(principal.int << 16) + (delegate.int << 8) + at),
        principal_id=principal,
        delegate_id=delegate,
        kinds=kinds,
        starts_at=starts,
        ends_at=starts + days * DAY,
        reason=Reason.MANUAL,
        filed_by=principal,
        created_at=NOON,
        ended_at=NOON if ended else None,
        cause=Cause.ENDED if ended else None,
    )


def principals(person: UUID, *delegations: Delegated, persons: Mapping[UUID, UUID] = ALONE) -> list[UUID]:
    return [each.principal for each in acting_for(person, delegations, NOON, persons=persons)]


class TestReach:
    def test_one_hand(self) -> None:
        held = gives(A, B, REVEAL)
        assert acting_for(B, [held], NOON, persons=ALONE) == (StandIn(held.id, A, REVEAL),)
        assert principals(A, held) == []
        assert deputies(A, "field.reveal", [held], NOON, persons=ALONE) == (B,)
        assert deputies(A, "tier.grant", [held], NOON, persons=ALONE) == ()

    def test_two_hands_and_no_third(self) -> None:
        chain = [gives(A, B), gives(B, C), gives(C, D)]
        assert principals(C, *chain) == [B, A]
        assert principals(D, *chain) == [C, B]
        assert deputies(A, "x", chain, NOON, persons=ALONE) == (B, C)

    def test_a_hand_in_between_is_named(self) -> None:
        first, second = gives(A, B, REVEAL | GRANT), gives(B, C, REVEAL)
        (_, through) = acting_for(C, [first, second], NOON, persons=ALONE)
        assert through == StandIn(first.id, A, REVEAL, (second.id,))

    def test_kinds_pass_where_every_hand_lets_them(self) -> None:
        assert principals(C, gives(A, B, GRANT), gives(B, C, REVEAL)) == [B]

    @pytest.mark.parametrize(
        ("held", "found"),
        [
            (gives(A, B), [A]),
            (gives(A, B, since=0.001), []),
            (gives(A, B, since=-7), []),
            (gives(A, B, since=-6.999), [A]),
            (gives(A, B, ended=True), []),
        ],
    )
    def test_half_open(self, held: Delegated, found: list[UUID]) -> None:
        assert principals(B, held) == found

    def test_a_ring_in_the_table_is_harmless(self) -> None:
        """Hard test 41: what creation refuses may still stand there, put by hand or made one person later."""
        ring = [gives(A, B), gives(B, A)]
        assert (principals(A, *ring), principals(B, *ring)) == ([B], [A])
        longer = [gives(A, B), gives(B, C), gives(C, A)]
        assert principals(A, *longer) == [C, B]

    def test_nobody_decides_for_their_own_other_card(self) -> None:
        persons = {B: E, C: E}
        assert principals(C, gives(B, C), persons=persons) == []
        assert principals(C, gives(B, A), gives(A, C), persons=persons) == [A]

    def test_the_nearer_one_is_told_once(self) -> None:
        near, far = gives(A, C), [gives(A, B, REVEAL), gives(B, C)]
        assert [each.principal for each in acting_for(C, [near, *far], NOON, persons=ALONE)] == [A, B]
        narrow = replace(near, kinds=GRANT)
        assert [each.kinds for each in acting_for(C, [narrow, *far], NOON, persons=ALONE)] == [GRANT, None, REVEAL]


class TestRefusing:
    def test_to_oneself(self) -> None:
        assert fault(gives(A, A), [], persons=ALONE) is Fault.SELF
        assert fault(gives(A, B), [], persons={A: E, B: E}) is Fault.SELF

    @pytest.mark.parametrize(
        ("others", "why"),
        [
            ([], None),
            ([gives(B, A)], Fault.RING),
            ([gives(B, C), gives(C, A)], Fault.RING),
            ([gives(C, A), gives(B, C)], Fault.RING),
            ([gives(C, A)], None),
            ([gives(B, C)], None),
            ([gives(C, A), gives(B, D)], Fault.TOO_DEEP),
            ([gives(D, C), gives(C, A)], Fault.TOO_DEEP),
            ([gives(B, C), gives(C, D)], Fault.TOO_DEEP),
            ([gives(A, B)], None),
            ([gives(B, A, ended=True)], None),
            ([gives(B, A, since=7)], None),
            ([gives(B, A, since=6.9)], Fault.RING),
            ([gives(B, C, days=1), gives(C, D, since=1)], None),
        ],
    )
    def test_beside_others(self, others: list[Delegated], why: Fault | None) -> None:
        assert fault(gives(A, B), others, persons=ALONE) is why

    def test_kinds_that_never_meet_make_no_ring(self) -> None:
        assert fault(gives(A, B, REVEAL), [gives(B, A, GRANT)], persons=ALONE) is None
        assert fault(gives(A, B, REVEAL), [gives(B, A)], persons=ALONE) is Fault.RING

    def test_a_ring_over_a_second_card(self) -> None:
        assert fault(gives(A, B), [gives(C, A)], persons={B: E, C: E}) is Fault.RING


def test_kinds_together() -> None:
    assert [common(None, None), common(None, REVEAL), common(REVEAL, None)] == [None, REVEAL, REVEAL]
    assert common(REVEAL, GRANT) == frozenset()
    assert [covers(None, REVEAL), covers(REVEAL, None), covers(REVEAL | GRANT, GRANT), covers(GRANT, REVEAL)] == [
        True,
        False,
        True,
        False,
    ]


def department(identity: UUID, head: UUID | None, parent: UUID | None = None, *, protected: bool = False) -> Node:
    return Node(identity, f"D{identity.int}", "x", parent, head, None, 0, "", "", protected)


class TestLeading:
    TOP, BELOW = UUID(int=101), UUID(int=102)
    TREE = Tree([department(TOP, A), department(BELOW, B, TOP)])

    def viewer(self, contact: UUID, main: UUID | None) -> Standing:
        return Standing(
            kind="person",
            actor_id=str(contact),
            name="x",
            client_id="x",
            scopes=frozenset(),
            tier=Tier.T2,
            contact_id=contact,
            main_department=main,
            headed=self.TREE.headed_by(contact),
        )

    @pytest.mark.parametrize(
        ("superior", "main", "person", "place", "manager", "leads_them"),
        [
            (A, TOP, C, TOP, None, True),
            (A, TOP, C, BELOW, None, True),
            (A, TOP, B, BELOW, None, True),
            (B, BELOW, C, BELOW, None, True),
            (B, BELOW, C, TOP, None, False),
            (B, BELOW, A, TOP, None, False),
            (B, BELOW, A, BELOW, None, False),
            (C, TOP, D, TOP, C, True),
            (C, TOP, D, None, None, False),
            (C, TOP, A, TOP, C, False),
            (A, TOP, A, TOP, None, False),
        ],
    )
    def test_who_is_a_superior(
        self,
        superior: UUID,
        main: UUID,
        person: UUID,
        place: UUID | None,
        manager: UUID | None,
        leads_them: bool,  # noqa: FBT001 — a column of the table
    ) -> None:
        found = leads(self.viewer(superior, main), self.TREE, person, department=place, manager=manager)
        assert found is leads_them

    def test_a_service_leads_nobody(self) -> None:
        service = Standing(kind="service", actor_id="x", name="x", client_id="x", scopes=frozenset())
        assert not leads(service, self.TREE, B, department=self.BELOW, manager=None)


some_kinds = st.none() | st.frozensets(st.sampled_from(KINDS), min_size=1)
edges = st.builds(
    gives,
    st.sampled_from(PEOPLE),
    st.sampled_from(PEOPLE),
    some_kinds,
    since=st.sampled_from([-3, -1, 0, 1]),
    days=st.sampled_from([1, 2, 5]),
    at=st.integers(0, 200),
    ended=st.sampled_from([False, False, False, True]),
).filter(lambda each: each.principal_id != each.delegate_id)
humans = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from([UUID(int=91), UUID(int=92)]), max_size=3)


def accepted(drawn: Sequence[Delegated], persons: Mapping[UUID, UUID]) -> list[Delegated]:
    """Let them be given one after the other, those that can be."""
    kept: list[Delegated] = []
    for each in {each.id: each for each in drawn}.values():
        if fault(each, kept, persons=persons) is None:
            kept.append(each)
    return kept


@given(st.lists(edges, max_size=12), humans)
def test_whatever_stands_there_nobody_decides_his_own_nor_at_a_third_hand(
    drawn: list[Delegated], persons: dict[UUID, UUID]
) -> None:
    by_id = {each.id: each for each in drawn}
    for person in PEOPLE:
        for found in acting_for(person, by_id.values(), NOON, persons=persons):
            assert persons.get(found.principal, found.principal) != persons.get(person, person)
            path = [by_id[each] for each in (found.id, *found.through)]
            assert len(path) <= MOST_DEEP
            assert path[0].principal_id == found.principal
            assert path[-1].delegate_id == person
            assert all(one.delegate_id == other.principal_id for one, other in pairwise(path))
            assert all(each.live(NOON) and covers(each.kinds, found.kinds) for each in path)


@given(st.lists(edges, max_size=12), humans)
def test_both_ends_tell_the_same(drawn: list[Delegated], persons: dict[UUID, UUID]) -> None:
    given_away = list({each.id: each for each in drawn}.values())
    for kind in KINDS:
        forwards = {
            (person, deputy)
            for person in PEOPLE
            for deputy in deputies(person, kind, given_away, NOON, persons=persons)
        }
        backwards = {
            (found.principal, person)
            for person in PEOPLE
            for found in acting_for(person, given_away, NOON, persons=persons)
            if covers(found.kinds, frozenset({kind}))
        }
        assert forwards == backwards


@given(st.lists(edges, max_size=12), humans)
def test_what_was_accepted_has_no_ring_and_no_third_hand_at_any_time(
    drawn: list[Delegated], persons: dict[UUID, UUID]
) -> None:
    kept = accepted(drawn, persons)

    def walk(at: UUID, kind: str, moment: datetime, trail: tuple[UUID, ...]) -> None:
        assert len(trail) <= MOST_DEEP + 1, "a third hand"
        for each in kept:
            if (
                persons.get(each.principal_id, each.principal_id) == at
                and each.live(moment)
                and covers(each.kinds, frozenset({kind}))
            ):
                to = persons.get(each.delegate_id, each.delegate_id)
                assert to not in trail, "a ring"
                walk(to, kind, moment, (*trail, to))

    for moment in {each.starts_at for each in kept}:
        for kind in KINDS:
            for person in {persons.get(each, each) for each in PEOPLE}:
                walk(person, kind, moment, (person,))
