"""What our own data says of rights: the rules by themselves, and what the log of a company gives them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from app.campaigns import hints
from app.campaigns.hints import WINDOW, Usage, hints_of, risk_of
from app.campaigns.rules import (
    GRANT,
    ROLE,
    Candidate,
    Item,
    Risk,
    State,
    Verdict,
    fits,
    next_quarter,
    quarter_of,
)
from app.kit.models import new_id
from app.permissions.plan import GrantScope
from tests.campaigns.reviews import Reviews
from tests.campaigns.test_silence import BEGIN, MONTHS, long_grant
from tests.campaigns.weekdays import WeekDays
from tests.support.grants import give

NOW = datetime(2026, 11, 23, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)
HERE = timedelta(hours=8)
SUBJECT = UUID("01936b00-0000-7000-8000-000000000001")


def grant(**given: Any) -> Candidate:  # noqa: ANN401 — members of a candidate
    scope = {"kind": "contact", "value": str(SUBJECT)}
    members: dict[str, Any] = {
        "kind": GRANT,
        "reference": "x",
        "holder_id": new_id(),
        "detail": {"scope": scope, "fields": ["mobile"]},
        "held_since": SINCE,
        "until": NOW + timedelta(days=1),
        **given,
    }
    return Candidate(**members)


def role() -> Candidate:
    return Candidate(kind=ROLE, reference="sales", holder_id=new_id())


@pytest.mark.parametrize(
    ("candidate", "usage", "expected"),
    [
        (grant(), Usage(reaches=SINCE), {"never_used"}),
        (grant(), Usage(reaches=SINCE + timedelta(days=1)), set()),
        (grant(), Usage(reaches=SINCE, shown={"mobile": NOW}), {"never_used"}),
        (grant(), Usage(reaches=SINCE, shown_of={(SUBJECT, "mobile"): NOW}), set()),
        (grant(), Usage(reaches=SINCE, shown_of={(SUBJECT, "mobile"): SINCE - timedelta(seconds=1)}), {"never_used"}),
        (
            grant(
                detail={"scope": {"kind": "company", "value": ""}, "fields": ["mobile", "email"]},
                flags=["company_wide"],
            ),
            Usage(reaches=SINCE, shown={"email": NOW}),
            {"company_wide"},
        ),
        (grant(until=SINCE + timedelta(days=91)), Usage(reaches=NOW), {"long_lived"}),
        (grant(), Usage(reaches=NOW, moved_at=SINCE + timedelta(days=1)), {"moved_since"}),
        (grant(), Usage(reaches=NOW, moved_at=SINCE - timedelta(days=1)), set()),
        (
            grant(),
            Usage(reaches=NOW, off_hours=5, refused=10, revealed_elsewhere=10),
            {"off_hours", "often_refused", "over_scope"},
        ),
        (grant(), Usage(reaches=NOW, off_hours=4, refused=9, revealed_elsewhere=9), set()),
        (role(), Usage(reaches=NOW - WINDOW), {"not_used_lately"}),
        (role(), Usage(reaches=NOW - WINDOW, last_look=NOW - WINDOW - timedelta(days=1)), {"not_used_lately"}),
        (role(), Usage(reaches=NOW - WINDOW, last_look=NOW), set()),
        (role(), Usage(reaches=NOW), set()),
    ],
)
def test_hints_are_said_when_they_are_known(candidate: Candidate, usage: Usage, expected: set[str]) -> None:
    assert set(hints_of(candidate, usage, NOW)) == expected


def test_every_hint_has_words_and_a_risk() -> None:
    for zh, en, risk in hints.HINTS.values():
        assert zh
        assert en
        assert risk in Risk
    assert risk_of([]) is Risk.LOW
    assert risk_of(["long_lived"]) is Risk.LOW
    assert risk_of(["long_lived", "never_used"]) is Risk.HIGH


@pytest.mark.parametrize(
    ("moment", "quarter", "following"),
    [
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-Q4", datetime(2027, 1, 1, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), "2026-Q4", datetime(2027, 1, 1, 1, tzinfo=UTC)),
        (datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "2027-Q1", datetime(2027, 4, 1, 1, tzinfo=UTC)),
        (datetime(2026, 6, 30, 0, 0, tzinfo=UTC), "2026-Q2", datetime(2026, 7, 1, 1, tzinfo=UTC)),
    ],
)
def test_quarters_are_those_of_the_clocks_here(moment: datetime, quarter: str, following: datetime) -> None:
    assert quarter_of(moment, HERE) == quarter
    assert next_quarter(moment, HERE) == following


@pytest.mark.parametrize(
    ("local", "days", "due"),
    [
        ("2026-11-20T17:59:59", 0, "2026-11-20"),
        ("2026-11-20T18:00:00", 0, "2026-11-23"),
        ("2026-11-20T17:59:59", 1, "2026-11-23"),
        ("2026-11-21T09:00:00", 1, "2026-11-24"),
        ("2026-11-22T23:00:00", 5, "2026-11-30"),
    ],
)
def test_week_days_are_counted_from_the_cut_off(local: str, days: int, due: str) -> None:
    found = WeekDays().due(datetime.fromisoformat(local).replace(tzinfo=UTC) - HERE, days)
    assert found.at == datetime.combine(date.fromisoformat(due), time(18), tzinfo=UTC) - HERE
    assert found.predicted


def test_verdicts_fit_what_is_asked() -> None:
    for kind, fitting in ((ROLE, {"keep", "shorten", "revoke"}), ("card", {"confirm", "dispute"})):
        item = Item(
            id=new_id(),
            campaign_id=new_id(),
            kind=kind,
            reference="x",
            holder_id=None,
            account_id=None,
            detail={},
            post=None,
            risk=Risk.LOW,
            hints=(),
            held_since=None,
            last_used_at=None,
        )
        assert {each.value for each in Verdict if fits(each, item)} == fitting
        assert item.is_answerable
        assert item.state is State.OPEN


@pytest.mark.asyncio(loop_scope="session")
async def test_the_log_tells_whether_a_grant_was_of_use(reviews: Reviews) -> None:
    reviews.clock.move_to(BEGIN)
    world, now = reviews.world, reviews.clock.now()
    await long_grant(reviews)
    scope = GrantScope("contact", str(world.people["core"]))
    await give(world, "colleague", scope, starts_at=now, ends_at=now + MONTHS)
    assert (await world.card("staff", "outsider"))["mobile"]["state"] == "shown"
    campaign = await reviews.start()
    used, idle = [await reviews.item(campaign, "grant", each) for each in ("staff", "colleague")]
    codes = [{hint["code"] for hint in each["hints"]} for each in (used, idle)]
    assert ("never_used" in codes[0], "never_used" in codes[1]) == (False, True)
    assert used["last_used_at"] == "2026-11-23T02:00:00Z"
    assert idle["last_used_at"] is None
    powerful = await reviews.item(campaign, "role", "hr")
    assert {hint["code"] for hint in powerful["hints"]} >= {"power_role"}


@pytest.mark.asyncio(loop_scope="session")
async def test_the_log_tells_of_odd_hours_refusals_and_moves(reviews: Reviews) -> None:
    world = reviews.world
    reviews.clock.move_to(BEGIN.replace(hour=14))
    for _ in range(5):
        await world.card("staff", "outsider")
    client = await reviews.as_("staff")
    for _ in range(10):
        assert (await client.get(f"/v1/contacts/{new_id()}")).status_code == 404
    reviews.clock.move_to(BEGIN + timedelta(days=1))
    await long_grant(reviews)
    reviews.clock.advance(minutes=1)
    moved = await (await reviews.as_("hr")).patch(
        f"/v1/contacts/{world.people['staff']}", json={"department": "SALES"}, headers={"If-Match": "*"}
    )
    assert moved.status_code == 200, moved.text
    reviews.clock.advance(minutes=1)
    await long_grant(reviews)
    await long_grant(reviews, scope=GrantScope("contact", str(world.people["ceo"])))
    campaign = await reviews.start()
    items = [
        each
        for each in await reviews.items(campaign)
        if each["kind"] == "grant" and each["holder"]["id"] == str(world.people["staff"])
    ]
    told = {each["detail"]["scope"]["value"]: {hint["code"] for hint in each["hints"]} for each in items}
    assert told[str(world.people["outsider"])] >= {"off_hours", "often_refused"}
    assert "executive_scope" in told[str(world.people["ceo"])]
    assert "moved_since" not in told[str(world.people["ceo"])]
