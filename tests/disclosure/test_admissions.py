"""A page is judged once for one plan and one set of records, recorded and opened for each look; and anything that is another is judged."""

from dataclasses import replace
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from app.disclosure import admissions
from app.disclosure.admissions import Admission, Admissions
from app.disclosure.looks import Look
from app.disclosure.opened import Opened
from app.disclosure.records import Record
from app.permissions.outcomes import Purpose
from app.permissions.plan import Cohort, CohortKey, Plan
from app.permissions.standing import Viewer
from tests.support.application import World
from tests.support.shared import add_person

pytestmark = pytest.mark.asyncio(loop_scope="session")

LOOK = Look(action="contact.list", purpose=Purpose.WORK_CONTACT)


class Judged:
    """How many verdicts were asked for, and how many boxes were opened."""

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        """Listen."""
        self._world, self.verdicts = world, 0
        decide = Plan.cohort

        def counted(plan: Plan, key: CohortKey, contact_id: UUID) -> Cohort:
            self.verdicts += 1
            return decide(plan, key, contact_id)

        monkeypatch.setattr(Plan, "cohort", counted)

    async def look(self, viewer: Viewer, records: list[Record]) -> tuple[Opened, int, int]:
        """Disclose; give what came of it, the verdicts and the openings that it took."""
        opener = self._world.application.opener
        verdicts, opened = self.verdicts, opener.opened
        answer = await self._world.application.gate.disclose(viewer, records, LOOK)
        return answer, self.verdicts - verdicts, opener.opened - opened


async def people(world: World) -> list[Record]:
    tree = await world.application.standings.tree()
    added = [await add_person(world) for _ in range(3)]
    found = [await world.application.contact_rows.by_id(each.id, tree) for each in added]
    return [each for each in found if each is not None]


async def test_each_look_has_its_own_record_and_opens_for_itself(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, viewer, judged = await people(shared), await shared.viewer("hr"), Judged(shared, monkeypatch)
    first, verdicts, boxes = await judged.look(viewer, records)
    assert verdicts == len(records)
    assert boxes >= 4 * len(records)
    before = shared.application.log.size
    again, more_verdicts, more_boxes = await judged.look(viewer, list(records))
    assert (more_verdicts, more_boxes) == (0, boxes)
    assert shared.application.log.size == before + 1
    assert again.event_id not in {None, first.event_id}
    assert again.cards == first.cards


async def test_another_order_another_viewer_and_another_record_are_judged(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, viewer, judged = await people(shared), await shared.viewer("hr"), Judged(shared, monkeypatch)
    first, *_ = await judged.look(viewer, records)
    turned, verdicts, _ = await judged.look(viewer, records[::-1])
    assert (turned.cards, verdicts) == (first.cards[::-1], 3)
    stranger = await shared.viewer("staff")
    assert (await judged.look(stranger, records))[1] == 3
    stronger = viewer.with_second_proof()
    assert stronger is not None
    assert (await judged.look(stronger, records))[1] == 3
    same = [*records[:2], replace(records[2])]
    assert (await judged.look(viewer, same))[1] == 3, "equal is not enough"


async def test_a_row_that_does_not_verify_is_left_out_and_reported_every_time(
    shared: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    records, viewer, judged = await people(shared), await shared.viewer("hr"), Judged(shared, monkeypatch)
    await judged.look(viewer, records)
    edited = [*records[:2], replace(records[2], mac=bytes(32))]
    for _ in range(2):
        with capture_logs() as logged:
            answer, *_ = await judged.look(viewer, edited)
        assert [subject for subject, _, _ in answer.cards] == [each.subject for each in records[:2]]
        assert any(line["event"] == "row_not_disclosed" for line in logged)


async def test_what_is_remembered_stays_within_bounds(shared: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admissions, "_MOST_CONTACTS", 5)
    records, plan = await people(shared), (await shared.viewer("hr")).plan(Purpose.WORK_CONTACT)
    remembered = Admissions()

    def page(*places: int) -> Admission:
        admitted = tuple((records[at], None) for at in places)
        return Admission(admitted, (), {}, 0, frozenset(), ())  # type: ignore[arg-type]  # no program is asked for

    for places in ((0, 1, 2), (0, 1), (0, 1), (1, 2)):
        remembered.keep(plan, page(*places))
    assert remembered.of(plan, records) is None, "the page that was asked for longest ago went first"
    assert remembered.of(plan, records[:2]) is not None
    assert remembered.of(plan, records[1:]) is not None
    remembered.keep(plan, page(0))
    assert remembered.of(plan, records[:1]) is None, "one contact is not worth it"
