"""Settings of what personnel systems and provisioning clients send: how long it waits, where it goes, and how much of it is too much."""

from typing import Annotated

from pydantic import Field

from app.group import Group

_Percent = Annotated[int, Field(ge=1, le=100)]


class HrSettings(Group):
    """How patient the ledger of personnel events is."""

    wait_hours: Annotated[int, Field(ge=1, le=2160)] = Field(
        72,
        title="How long an event waits for one that belongs before it; then a gap is passed over, and what else is missing makes it fail",
    )


class ReconciliationsSettings(Group):
    """How many people a head-count, or a batch of events, may let go without an approved request."""

    fuse_people: Annotated[int, Field(ge=1, le=100_000)] = Field(
        50, title="Up to so many leavers `fuse_percent_of_few` counts, beyond them `fuse_percent_of_many`"
    )
    fuse_percent_of_many: _Percent = Field(
        20, title="More than `fuse_people` leavers and more than this per cent of those in scope: refused"
    )
    fuse_percent_of_few: _Percent = Field(
        80, title="At most `fuse_people` leavers and more than this per cent of those in scope: refused"
    )
    kept_days: Annotated[int, Field(ge=1, le=31)] = Field(
        7, title="Days in which a diff can be applied; afterwards what the file said is gone"
    )


class ScimSettings(Group):
    """How provisioning clients (SCIM) put people into the directory."""

    department: str | None = Field(
        None, title="Code of the department of those who join by SCIM without one; unset: they are refused"
    )
