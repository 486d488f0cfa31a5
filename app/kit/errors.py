"""Every failure that a caller can meet is a class that knows its status and its stable code.

    Problem
    ├── Unauthenticated 401            token_required
    ├── Forbidden 403                  forbidden
    │   └── InsufficientScope          insufficient_scope
    ├── HttpsRequired 403              https_required
    ├── NotFound 404                   not_found
    ├── MethodNotAllowed 405           method_not_allowed
    ├── Conflict 409                   conflict
    ├── PreconditionFailed 412         precondition_failed
    ├── BodyTooLarge 413               body_too_large
    ├── UnsupportedMediaType 415       unsupported_media_type
    ├── Invalid 422                    invalid_request
    ├── PreconditionRequired 428       precondition_required
    ├── TooMany 429                    too_many_requests
    ├── Internal 500                   internal_error
    └── Unavailable 503                unavailable
        └── LogUnavailable             access_log_unavailable

Domains add their own subclasses in their ``errors.py``. A detail never contains a protected value, and a refusal never tells
whether the thing exists.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault inside the request: where (RFC 6901 pointer, or ``?name`` for a query parameter), which, and in words."""

    pointer: str
    code: str
    detail: str
    detail_zh: str


class Problem(Exception):
    """A failure that becomes an RFC 9457 document. Subclasses fix ``status``, ``code`` and both titles."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    title_zh: ClassVar[str] = "内部错误"

    def __init__(
        self,
        detail: str | None = None,
        *,
        detail_zh: str | None = None,
        errors: Iterable[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        **extensions: object,
    ) -> None:
        """Describe this occurrence; without ``detail`` the title speaks for itself."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.detail_zh = detail_zh or (self.title_zh if detail is None else detail)
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        self.extensions = extensions


class Unauthenticated(Problem):
    """No usable proof of who calls."""

    status, code, title, title_zh = 401, "token_required", "Authentication required", "需要身份验证"


class Forbidden(Problem):
    """Known caller, right missing."""

    status, code, title, title_zh = 403, "forbidden", "Not permitted", "没有权限"


class InsufficientScope(Forbidden):
    """The token does not carry the scope that the operation asks for (RFC 6750 section 3.1)."""

    code, title, title_zh = "insufficient_scope", "The token lacks a scope", "令牌缺少所需的权限范围"


class HttpsRequired(Problem):
    """The request came in clear, or its proxy did not say otherwise; only probes are answered so in production."""

    status, code, title, title_zh = 403, "https_required", "HTTPS is required", "必须使用 HTTPS"


class NotFound(Problem):
    """Absent, or not for this caller: the two look alike."""

    status, code, title, title_zh = 404, "not_found", "Not found", "未找到"


class MethodNotAllowed(Problem):
    """The path exists, the method does not."""

    status, code, title, title_zh = 405, "method_not_allowed", "Method not allowed", "不支持该方法"


class Conflict(Problem):
    """The request contradicts what is stored."""

    status, code, title, title_zh = 409, "conflict", "Conflict", "与现有数据冲突"


class PreconditionFailed(Problem):
    """``If-Match`` names another version than the caller would see now."""

    status, code, title, title_zh = 412, "precondition_failed", "The version has changed", "版本已变更"


class BodyTooLarge(Problem):
    """More bytes than this operation takes."""

    status, code, title, title_zh = 413, "body_too_large", "The request body is too large", "请求内容过大"


class UnsupportedMediaType(Problem):
    """Not the media type that this operation reads."""

    status, code, title, title_zh = 415, "unsupported_media_type", "Unsupported media type", "不支持的媒体类型"


class Invalid(Problem):
    """Readable, but not what the operation takes; nothing was changed."""

    status, code, title, title_zh = 422, "invalid_request", "The request is not valid", "请求无效"


class PreconditionRequired(Problem):
    """A change without ``If-Match`` could overwrite what the caller has not seen (RFC 6585)."""

    status, code, title, title_zh = 428, "precondition_required", "If-Match is required", "需要 If-Match"


class TooMany(Problem):
    """A limit in time is spent; ``Retry-After`` says when it opens again."""

    status, code, title, title_zh = 429, "too_many_requests", "Too many requests", "请求过多"


class Internal(Problem):
    """A fault of ours; the request id leads to it in the log."""


class Unavailable(Problem):
    """A part that this operation needs cannot serve now."""

    status, code, title, title_zh = 503, "unavailable", "Service unavailable", "服务暂不可用"


class LogUnavailable(Unavailable):
    """The access log could not take the record in time, so nothing was opened."""

    code, title, title_zh = "access_log_unavailable", "The access log cannot be written", "访问日志暂不可写"
