"""The plan as a file of FreeSWITCH's directory: a ``<user>`` for each number, with whose it is and what it may do (``toll_allow``).

What ``freeswitch`` reads of it is what was written. There are no ``<params>``: passwords are the exchange's own.
"""

from collections.abc import Iterable, Iterator
from typing import Final
from xml.sax.saxutils import quoteattr

from app.exchanges.telling import Told, plain

HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>\n<include>\n'
TAIL: Final = "</include>\n"


def users(lines: Iterable[Told]) -> Iterator[str]:
    """Write the element of each line."""
    for each in map(plain, lines):
        named = {"effective_caller_id_name": each.name, "effective_caller_id_number": each.digits} if each.name else {}
        told = {**named, "user_context": each.context, **each.variables}
        variables = "".join(
            f"      <variable name={quoteattr(word)} value={quoteattr(text)}/>\n" for word, text in told.items()
        )
        yield f"  <user id={quoteattr(each.digits)}>\n    <variables>\n{variables}    </variables>\n  </user>\n"
