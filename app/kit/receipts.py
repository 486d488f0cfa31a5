"""How a receipt leaves: its status, where the thing is, its version, and whether this was told before."""

import orjson
from fastapi import Response

from app.kit.idempotency import Answer, Receipt


def receipt_response(answer: Answer | Receipt, collection: str) -> Response:
    """Write a receipt; ``collection`` is the path under which the resource stands."""
    receipt, replayed = (answer.receipt, answer.replayed) if isinstance(answer, Answer) else (answer, False)
    headers = {"Cache-Control": "no-store"}
    if receipt.resource_id is not None:
        headers["Location"] = f"{collection}/{receipt.resource_id}"
    if version := receipt.body.get("version"):
        headers["ETag"] = f'"{version}"'
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(
        orjson.dumps(receipt.body), status_code=receipt.status, media_type="application/json", headers=headers
    )
