"""HTTP face of the change feed."""

from typing import Annotated, Final

from fastapi import Query

from app.changes.access import CHANGE_PROBLEMS, Changes, ContactsRead
from app.changes.schemas import ChangePage, ChangeQuery
from app.disclosure.view import Disclosed, disclosed_response
from app.kit.dependencies import IfNoneMatch
from app.kit.problems import responses
from app.kit.routing import GuardedRouter

_EXAMPLE: Final = {
    "since": 1187,
    "items": [
        {
            "version": 1188,
            "at": "2026-11-22T06:40:12.104211Z",
            "items": [
                {
                    "type": "contact",
                    "id": "0199f3f0-5b7c-7d3e-8a41-2f6d1c9b7e55",
                    "change": "moved",
                    "groups": ["placement", "numbers"],
                },
                {"type": "contact", "id": "0199f3f0-6a10-7c52-9b7d-0d4f8e2a6c31", "change": "removed", "groups": []},
            ],
        }
    ],
    "next": None,
    "latest": 1188,
    "view": "q3pK0vX1tYb7cE9sWmZa",
    "disclosure": {
        "event_id": "0199f400-1c2d-7e3f-8a9b-4c5d6e7f8091",
        "purpose": "work_contact",
        "policy_version": "default 1.0.0",
        "obligations": [],
        "watermark": "intranet · intranet",
    },
}

router = GuardedRouter(prefix="/v1", tags=["changes"])
_ANSWERS: Final = disclosed_response(ChangePage, "Change sets, oldest first")
_ANSWERS[200]["content"] = {"application/json": {"example": _EXAMPLE}}


@router.get(
    "/changes",
    summary="Follow the directory",
    response_model=None,
    responses={**_ANSWERS, 304: {"description": "Unchanged"}, **responses(*CHANGE_PROBLEMS)},
)
async def list_changes(
    viewer: ContactsRead,
    changes: Changes,
    query: Annotated[ChangeQuery, Query()],
    if_none_match: IfNoneMatch = None,
) -> Disclosed[ChangePage]:
    """List which contacts and departments changed after `since`: ids and kinds of change, no value.

    `directory_version` grows by one with every committed change set. Ask without `since`, read the directory whole, then follow from
    `latest`; read what is named. With `If-None-Match`, 304 as long as there is nothing for you; on record all the same. Versions that are
    missing between two show you nothing: you have missed nothing as long as you ask with the version that you have. 410 `feed_truncated`
    where what came after `since` is kept no longer, and a `view` that is another: read the directory whole again.
    """
    return await changes.read(viewer, query, known=if_none_match)
