"""The plan as a file that Asterisk's ``pjsip.conf`` includes: an endpoint for each number, with whose it is and what it may do.

What ``asterisk`` reads of it is what was written. Transports, registration and secrets are the exchange's own, in templates of its own
that it adds with ``[duanhao-line](+)``; a line's ``context`` names its privileges, so a dialplan has one context for each set of them.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from app.exchanges.telling import Told, plain

TEMPLATE: Final = "duanhao-line"
HEAD: Final = f"; duanhao: do not edit, include it in pjsip.conf\n\n[{TEMPLATE}](!)\ntype=endpoint\n"
TAIL: Final = ""


def sections(lines: Iterable[Told]) -> Iterator[str]:
    """Write the section of each line."""
    for each in map(plain, lines):
        settings = [f"context={each.context}"]
        if each.name:
            quoted = each.name.replace("\\", "\\\\").replace('"', '\\"')
            settings.insert(0, f'callerid="{_escaped(quoted)}" <{each.digits}>')
        settings += [f"set_var={word}={_escaped(text)}" for word, text in each.variables.items()]
        yield "\n".join((f"\n[{each.digits}]({TEMPLATE})", *settings)) + "\n"


def _escaped(text: str) -> str:
    """Let no character begin a comment."""
    return text.replace(";", "\\;")
