"""Statements that are compiled once per process of the suite, and not once per application that a test opens.

A service opens one application and compiles each of its statements once. Tests open thousands, and spent a third of what opening one costs
on compiling the same hundreds of statements. Two statements are the same here when SQLAlchemy's own cache of statements would say so and
the values in them are the same too, since ``Prepared`` writes lists out; what SQLAlchemy cannot compare is compiled as ever.
"""

from collections.abc import Hashable
from typing import Any, Final

from sqlalchemy import Select
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import BindParameter

from app.kit.db import Prepared

_COMPILED: Final[dict[Hashable, Prepared]] = {}
_PARTS: Final = ("_binders", "_defaults", "_order", "_wanted", "sql")


def pytest_configure() -> None:
    """Remember from now on."""
    compile_anew = Prepared.__init__

    def remembered(self: Prepared, statement: Select[*tuple[Any, ...]], dialect: Dialect) -> None:
        key = _key(statement, dialect)
        known = None if key is None else _COMPILED.get(key)
        if known is None:
            compile_anew(self, statement, dialect)
            if key is not None:
                _COMPILED[key] = self
            return
        for part in _PARTS:
            setattr(self, part, getattr(known, part))

    Prepared.__init__ = remembered  # type: ignore[method-assign]  # the one place through which every statement goes


def _key(statement: Select[*tuple[Any, ...]], dialect: Dialect) -> Hashable | None:
    """Tell a statement from every other by its form and its values; ``None`` where that cannot be told."""
    form = statement._generate_cache_key()
    if form is None or any(each.callable is not None for each in form.bindparams):
        return None
    key = (
        type(dialect),
        dialect.paramstyle,
        dialect.server_version_info,
        form.key,
        tuple(map(_value, form.bindparams)),
    )
    try:
        hash(key)
    except TypeError:
        return None
    return key


def _value(parameter: BindParameter[Any]) -> Hashable:
    value = parameter.value
    if isinstance(value, list | tuple):
        return (type(value), *((type(each), each) for each in value))
    return (type(value), value)
