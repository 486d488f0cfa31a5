"""Bases of what comes in and what goes out: inputs refuse unknown members, outputs have no defaults to hide behind."""

from pydantic import BaseModel, ConfigDict


class Input(BaseModel):
    """A request body or a set of query parameters; unknown members are an error, strings are trimmed."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """An answer, declared for OpenAPI; what a caller may count on."""

    model_config = ConfigDict(frozen=True, extra="forbid")
