"""What a look costs, whose day it is, and when the day is over."""

from datetime import UTC, datetime, timedelta

import pytest

from app.permissions.plan import Standing
from app.permissions.quotas import CONTACTS, REVEALS, Allowances, Quotas
from tests.support.clock import FrozenClock

CHINA = timedelta(hours=8)
PERSON = Standing(kind="person", actor_id="p", name="p", client_id="intranet", scopes=frozenset())
SERVICE = Standing(kind="service", actor_id="mirror", name="m", client_id="mirror", scopes=frozenset())


def quotas(clock: FrozenClock, offset: timedelta = CHINA, **given: object) -> Quotas:
    return Quotas(Allowances(**given), clock=clock, utc_offset=offset)  # type: ignore[arg-type]  # members, by name


@pytest.mark.parametrize(
    ("now", "offset", "day", "over"),
    [
        (datetime(2026, 11, 20, 12, tzinfo=UTC), CHINA, "2026-11-20", datetime(2026, 11, 20, 16, tzinfo=UTC)),
        (datetime(2026, 11, 20, 16, tzinfo=UTC), CHINA, "2026-11-21", datetime(2026, 11, 21, 16, tzinfo=UTC)),
        (
            datetime(2026, 11, 20, 15, 59, 59, 999_999, tzinfo=UTC),
            CHINA,
            "2026-11-20",
            datetime(2026, 11, 20, 16, tzinfo=UTC),
        ),
        (datetime(2026, 12, 31, 20, tzinfo=UTC), CHINA, "2027-01-01", datetime(2027, 1, 1, 16, tzinfo=UTC)),
        (
            datetime(2026, 11, 20, 3, tzinfo=UTC),
            -timedelta(hours=5),
            "2026-11-19",
            datetime(2026, 11, 20, 5, tzinfo=UTC),
        ),
    ],
)
def test_a_day_is_the_companys(now: datetime, offset: timedelta, day: str, over: datetime) -> None:
    found = quotas(FrozenClock(now), offset).today()
    assert (found.text, found.over_at) == (day, over)


def test_the_day_changes_at_midnight_and_back_with_the_clock() -> None:
    clock = FrozenClock(datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC))
    found = quotas(clock)
    assert found.reveal(PERSON).day == "2026-11-20"
    clock.advance(seconds=1)
    assert found.reveal(PERSON).day == "2026-11-21"
    clock.advance(seconds=-1)
    assert found.reveal(PERSON).day == "2026-11-20"


def test_people_pay_for_contacts_and_for_reveals_apart() -> None:
    found = quotas(FrozenClock(), contacts=7, reveals=2, alarms=(3,))
    assert found.contacts(PERSON, 0) is None
    charge = found.contacts(PERSON, 5)
    assert charge is not None
    assert (charge.actor_id, charge.kind, charge.amount, charge.limit, charge.alarms) == ("p", CONTACTS, 5, 7, (3,))
    reveal = found.reveal(PERSON)
    assert (reveal.kind, reveal.amount, reveal.limit, reveal.alarms) == (REVEALS, 1, 2, ())
    assert found.limits(PERSON) == {CONTACTS: 7, REVEALS: 2}


def test_a_service_pays_for_everything_from_its_own_ceiling() -> None:
    found = quotas(FrozenClock(), service_contacts=100, clients={"mirror": 9})
    assert found.limits(SERVICE) == {CONTACTS: 9}
    reveal = found.reveal(SERVICE)
    assert (reveal.kind, reveal.limit) == (CONTACTS, 9)
    assert quotas(FrozenClock(), service_contacts=100).limits(SERVICE) == {CONTACTS: 100}
