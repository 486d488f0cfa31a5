"""Single events of one sender: the security log is told of a day of many leavers, also where two of them were taken at one moment."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

from structlog.testing import capture_logs

from app.contacts.headcount import HeadCount
from app.hr.fuse import Limits
from app.hr.fusing import LeaverFuse
from app.hr.repository import HrLedger
from app.kit.clock import SystemClock
from app.kit.query import Source
from app.permissions.standing import Viewer


class Day:
    """A ledger that knows of leavers alone, and a company of a hundred."""

    def __init__(self) -> None:
        self.gone: dict[UUID, bool] = {}

    async def let_go(self, source: Source, client_id: str, since: datetime) -> dict[UUID, bool]:
        del source, client_id, since
        return self.gone

    async def places(self, source: Source) -> dict[UUID, int]:
        del source
        return {uuid4(): 100 - len(self.gone)}

    def leave(self, people: int) -> None:
        self.gone.update({uuid4(): True for _ in range(people)})


def sender(name: str) -> Viewer:
    return cast("Viewer", SimpleNamespace(standing=SimpleNamespace(client_id=name)))


async def alarms(fuse: LeaverFuse, viewer: Viewer) -> list[int]:
    with capture_logs() as logs:
        await fuse.watch(cast("Source", None), viewer)
    return [log["leavers"] for log in logs if log["event"] == "many_leave"]


async def test_leavers_of_one_moment_pass_no_alarm_over() -> None:
    day, found = Day(), list[list[int]]()
    people: Any = day
    limits = Limits(people=4, percent_of_many=1, percent_of_few=80)
    fuse = LeaverFuse(
        ledger=cast("HrLedger", people), heads=cast("HeadCount", people), limits=limits, clock=SystemClock()
    )
    for taken in (3, 2, 1, 1, 2):
        day.leave(taken)
        found.append(await alarms(fuse, sender("feishu")))
    assert found == [[], [5], [], [], [9]], "4 and 8 were reached between two looks"
    assert await alarms(fuse, sender("beisen")) == [9], "each sender is looked at by itself"
    day.gone.clear()
    day.leave(5)
    assert await alarms(fuse, sender("feishu")) == [], "fewer than were told of, of the days before"
    day.gone.clear()
    assert await alarms(fuse, sender("feishu")) == []
    day.leave(5)
    assert await alarms(fuse, sender("feishu")) == [5], "a day later it is news again"
