"""What every group of settings is."""

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """A frozen group of settings; an unknown member is an error, because a misspelt limit is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
