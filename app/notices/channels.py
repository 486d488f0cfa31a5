"""The ways on which a telling goes out: to a subscriber, by the robot of a group chat, by mail. One protocol, and no way raises.

What leaves is made here from the notice and from nothing else: subscribers get its thin payload, people and groups its title and a link.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, assert_never
from uuid import UUID

import orjson

from app.kit.clock import Clock
from app.notices import messages, robots, signing
from app.notices.notice import Notice, payload
from app.notices.posting import Posted, Poster, PostFailed
from app.notices.targets import Target, TargetRefused, target
from app.notices.told import Outcome
from app.notices.webhook import Opened


@dataclass(frozen=True, slots=True)
class Places:
    """What links begin with: those of programs, and those of people; neither ends with a slash."""

    public: str
    portal: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to go out: a notice, by which telling, to which address or person; ``opened`` is the address, open."""

    delivery: UUID
    notice: Notice
    recipient: UUID
    opened: Opened | None = None


class Channel(Protocol):
    """A way out."""

    async def send(self, parcel: Parcel) -> Outcome:
        """Send; whatever goes wrong is an outcome."""
        ...


class WebhookChannel:
    """Subscribers and robots: an address that is posted to."""

    def __init__(self, poster: Poster, places: Places, clock: Clock) -> None:
        """Take what posts, what links begin with, and the clock."""
        self._poster, self._places, self._clock = poster, places, clock

    async def send(self, parcel: Parcel) -> Outcome:
        """Post to the address."""
        opened = parcel.opened
        if opened is None:
            return Outcome("again", "webhook_unreadable")
        try:
            called = target(opened.url, self._poster.reach)
            if opened.kind == "standard":
                return await self._subscriber(called, parcel.notice, opened)
            return await self._robot(opened.kind, called, parcel.notice, opened)
        except TargetRefused:
            return Outcome("again", "target_refused")
        except PostFailed as failed:
            return Outcome("again", failed.failure)

    async def _subscriber(self, called: Target, notice: Notice, opened: Opened) -> Outcome:
        body = orjson.dumps(payload(notice, self._places.public), option=orjson.OPT_UTC_Z | orjson.OPT_SORT_KEYS)
        headers = signing.headers(str(notice.id), body, opened.secrets, self._clock.now())
        return _by_status(await self._poster.post(called, body, headers))

    async def _robot(self, kind: robots.Robot, called: Target, notice: Notice, opened: Opened) -> Outcome:
        secret = opened.secrets[0] if opened.secrets else None
        made = robots.call(kind, called, messages.chat(notice, self._places.portal), secret, self._clock.now())
        posted = await self._poster.post(made.target, made.body, {}, read=robots.MOST_READ)
        if posted.status != HTTPStatus.OK:
            return _by_status(posted)
        said = robots.answer(kind, posted.body)
        match said.verdict:
            case "taken":
                return Outcome("delivered", "delivered", posted.status, rest=robots.BETWEEN)
            case "gone":
                return Outcome("gone", "robot_gone", said.number)
            case "again":
                return Outcome("again", "robot_refused", said.number, rest=said.rest)
            case _:
                assert_never(said.verdict)


def _by_status(posted: Posted) -> Outcome:
    status = posted.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome("delivered", "delivered", status)
    if status == HTTPStatus.GONE:
        return Outcome("gone", "gone", status)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return Outcome("again", "redirect", status)
    return Outcome("again", "http_error", status, wait=posted.wait)
