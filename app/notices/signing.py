"""Signatures of what subscribers are sent, as Standard Webhooks has them: HMAC-SHA-256 over id, time and body, one per secret in force."""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from secrets import token_bytes
from typing import Final

from standardwebhooks import Webhook

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32


def new_secret() -> str:
    """Make a secret: 256 random bits, written as subscribers' libraries read it."""
    return PREFIX + b64encode(token_bytes(SECRET_BYTES)).decode()


def headers(notice_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """Write the three headers for a body that is sent ``now``; the newest secret signs first, one that was replaced still signs too."""
    signatures = [Webhook(each).sign(notice_id, now, body.decode()) for each in secrets]
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
