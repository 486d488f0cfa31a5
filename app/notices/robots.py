"""Robots of group chats in WeCom, Feishu and DingTalk: what they are sent, how it is signed, what their answers mean. Pure.

All three answer 200 to nearly everything and say in the body whether they took it. Of that body only the number is kept. As their makers
document it: a robot of WeCom is known by the key in its address alone; Feishu signs nothing, with time and secret as the key, and takes
seconds, in the body; DingTalk signs time and secret, with the secret as the key, and takes milliseconds, in the query. All take some twenty
messages a minute, so a queue rests between two.

Nothing comes back through a robot: callbacks of these platforms are not taken.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from urllib.parse import quote

import orjson

from app.notices.targets import Target

Robot = Literal["wecom", "feishu", "dingtalk"]
ROBOTS: Final[tuple[Robot, ...]] = ("wecom", "feishu", "dingtalk")
SIGNING: Final = frozenset({"feishu", "dingtalk"})
"""Robots that can be given a secret of their own to sign with."""
BETWEEN: Final = timedelta(seconds=3)
"""Rest of a robot's queue after each message: twenty a minute."""
MOST_READ: Final = 16_384
"""Bytes of an answer that are read to find its number."""

_TOO_OFTEN: Final[Mapping[Robot, frozenset[int]]] = {
    "wecom": frozenset({45009, 45033}),
    "feishu": frozenset({11232}),
    "dingtalk": frozenset({130101, 660026, 90030}),
}
_GONE: Final[Mapping[Robot, frozenset[int]]] = {
    "wecom": frozenset({93000}),
    "feishu": frozenset({19001}),
    "dingtalk": frozenset({300001, 400101, 400102}),
}
_BUSY_REST: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class RobotCall:
    """One message, ready to be posted."""

    target: Target
    body: bytes


@dataclass(frozen=True, slots=True)
class RobotAnswer:
    """What a robot made of it: taken, to be tried again (after ``rest``, when it is called too often), or gone for good."""

    verdict: Literal["taken", "again", "gone"]
    number: int | None
    rest: timedelta | None = None


def call(robot: Robot, target: Target, text: str, secret: str | None, now: datetime) -> RobotCall:
    """Write a message of one text for a robot; ``secret`` is what it signs with, when it does."""
    body: dict[str, Any]
    match robot:
        case "wecom":
            body = {"msgtype": "text", "text": {"content": text}}
        case "feishu":
            body = {"msg_type": "text", "content": {"text": text}}
            if secret is not None:
                seconds = str(int(now.timestamp()))
                body |= {"timestamp": seconds, "sign": _signed(f"{seconds}\n{secret}", "")}
        case "dingtalk":
            body = {"msgtype": "text", "text": {"content": text}}
            if secret is not None:
                milliseconds = str(int(now.timestamp() * 1000))
                sign = quote(_signed(secret, f"{milliseconds}\n{secret}"), safe="")
                joint = "&" if "?" in target.path else "?"
                target = replace(target, path=f"{target.path}{joint}timestamp={milliseconds}&sign={sign}")
    return RobotCall(target, orjson.dumps(body))


def answer(robot: Robot, body: bytes) -> RobotAnswer:
    """Read an answer that came with 200."""
    number = _number(robot, body)
    if number == 0:
        return RobotAnswer("taken", 0)
    if number in _GONE[robot]:
        return RobotAnswer("gone", number)
    return RobotAnswer("again", number, _BUSY_REST if number in _TOO_OFTEN[robot] else None)


def _number(robot: Robot, body: bytes) -> int | None:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(told, dict):
        return None
    found = told.get("code", told.get("StatusCode")) if robot == "feishu" else told.get("errcode")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def _signed(key: str, message: str) -> str:
    return b64encode(hmac.digest(key.encode(), message.encode(), "sha256")).decode()
