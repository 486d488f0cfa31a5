"""Settings of what stops a mistake, or a hostile colleague, before it has emptied the directory."""

from typing import Annotated

from pydantic import Field

from app.group import Group

_Percent = Annotated[int, Field(ge=1, le=100)]


class ReconciliationsSettings(Group):
    """How many people a head-count may let go without an approved request."""

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
