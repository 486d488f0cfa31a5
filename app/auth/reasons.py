"""Why a token is not taken: one word per check, for the security log and for tests.

The caller is never told which: every refusal after the first look reads the same, except that an expired token says
so. The pure checks raise ``Rejected``; the verifier turns it into a 401 in one place.
"""

from enum import StrEnum


class Reason(StrEnum):
    """The check that failed, in the order in which the checks run."""

    AUTHORIZATION_HEADER = "authorization_header"
    OVERSIZE = "oversize"
    SEGMENTS = "segments"
    BASE64 = "base64"
    HEADER_JSON = "header_json"
    HEADER_CRITICAL = "header_critical"
    HEADER_KEY = "header_key"
    HEADER_MEMBER = "header_member"
    PAYLOAD_JSON = "payload_json"
    ISSUER = "issuer"
    ALGORITHM = "algorithm"
    TYPE = "type"
    KID = "kid"
    KID_UNKNOWN = "kid_unknown"
    KEY_MISMATCH = "key_mismatch"
    SIGNATURE = "signature"
    CLAIM_MISSING = "claim_missing"
    CLAIM_TYPE = "claim_type"
    NOT_AN_ACCESS_TOKEN = "not_an_access_token"  # noqa: S105 — the name of a reason
    AUDIENCE = "audience"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    ISSUED_IN_FUTURE = "issued_in_future"
    LIFETIME = "lifetime"
    SUBJECT = "subject"
    REVOKED = "revoked"
    EPOCH = "epoch"
    SUBJECT_UNKNOWN = "subject_unknown"
    SUBJECT_DISABLED = "subject_disabled"
    CLIENT_UNKNOWN = "client_unknown"
    CLIENT_DISABLED = "client_disabled"
    DELEGATION = "delegation"
    ROW_TAMPERED = "row_tampered"


class Rejected(Exception):
    """A check failed."""

    def __init__(self, reason: Reason) -> None:
        """Carry the reason and nothing of the token."""
        super().__init__(reason.value)
        self.reason = reason
