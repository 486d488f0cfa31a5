"""Reading a part of a form as strictly as the operation that it stands for reads its body: the same models, the same faults."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.kit.errors import Invalid
from app.kit.problems import from_validation
from app.kit.schemas import Input

_T = TypeVar("_T", bound=Input)
WITHHELD: Final[Mapping[str, str]] = {"state": "withheld"}
"""Stands in what is kept of a form for a value that is kept sealed and apart."""


def read(model: type[_T], given: Mapping[str, Any], *under: str) -> _T:
    """Read members that stand ``under`` these names of the form; raise ``Invalid`` with every fault and where it is."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = [{**each, "loc": ("body", "form", *under, *each["loc"])} for each in error.errors()]
        raise from_validation(RequestValidationError(faults)) from None


@contextmanager
def pointed(*at: str) -> Iterator[None]:
    """Let whatever is refused point at one member of the form, whichever name it went by on the way."""
    try:
        yield
    except Invalid as fault:
        pointer = "".join(f"/{each}" for each in ("form", *at))
        fault.errors = tuple(replace(each, pointer=pointer) for each in fault.errors)
        raise


@contextmanager
def placed(*under: str) -> Iterator[None]:
    """Let what a rule of another operation refuses point into the form."""
    try:
        yield
    except Invalid as fault:
        at = "".join(f"/{each}" for each in ("form", *under))
        fault.errors = tuple(replace(each, pointer=f"{at}{each.pointer}") for each in fault.errors)
        raise
