"""What is known of the request being served: its id, its address, who asks, and the permit that it holds.

One mutable record per request, made by the edge middleware and found through a context variable, so that a layer deep down can
say "this request now holds a permit" without passing the record through every signature. Nothing protected is ever stored in it.
"""

from contextvars import ContextVar
from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class RequestContext:
    """One request, from the first byte in to the last byte out."""

    request_id: str
    address: str | None = None
    language: str = "en"
    client_id: str | None = None
    actor: str | None = None
    disclosing: bool = False
    permit: object | None = None
    unlogged_hotline_answer: object | None = None
    event_id: UUID | None = None
    subject: object | None = field(default=None, repr=False)
    viewer: object | None = field(default=None, repr=False)
    guard: object | None = field(default=None, repr=False)
    sought: UUID | None = None
    fields: tuple[str, ...] = ()
    action: str | None = None
    purpose: str | None = None


_current: ContextVar[RequestContext | None] = ContextVar("duanhao_request", default=None)


def current_request() -> RequestContext | None:
    """Give the request being served in this task, or ``None`` outside of one."""
    return _current.get()


def enter_request(context: RequestContext) -> None:
    """Make ``context`` the current request of this task and of the tasks that it starts."""
    _current.set(context)
