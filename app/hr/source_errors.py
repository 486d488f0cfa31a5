"""What goes wrong with sources and their signatures.

Unauthenticated 401
└── SignatureRefused   signature_refused    whatever is wrong with it: headers, time, secret, or whose events it signs
Forbidden 403
└── ForeignSource      foreign_source       the name of a source was registered for another service account
NotFound 404
└── SourceNotFound     hr_source_not_found  no source in use has this name
Conflict 409
├── SourceExists       hr_source_exists     a source in use has this name
└── TooManySources     too_many_hr_sources  every request that is signed is compared with all of them
Invalid 422
└── SourceUnfit        hr_source_unfit      its name, or the service account that it is to speak for
"""

from app.auth.errors import REALM
from app.kit.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated


class SignatureRefused(Unauthenticated):
    """The headers of Standard Webhooks were sent and are not believed. Which check failed, the security log alone is told."""

    code, title, title_zh = "signature_refused", "The signature is not one that this service takes", "签名无效"

    def __init__(self, reason: str) -> None:
        """Keep the reason inside."""
        super().__init__(headers={"WWW-Authenticate": REALM})
        self.reason = reason


class ForeignSource(Forbidden):
    """An event speaks in the name of a source that is another service account's, by registration or because that one sent in it first."""

    code, title, title_zh = (
        "foreign_source",
        "This source belongs to another service account",
        "该来源属于其他服务账号",
    )


class SourceNotFound(NotFound):
    """No source in use has this name."""

    code, title, title_zh = "hr_source_not_found", "No such source in use", "来源不存在或已停用"


class SourceExists(Conflict):
    """A source in use has this name; it is given another secret, or disabled first."""

    code, title, title_zh = "hr_source_exists", "The source exists already", "来源已存在"


class TooManySources(Conflict):
    """A signature names nobody, so each is compared with the secrets of all sources in use."""

    code, title, title_zh = "too_many_hr_sources", "No more sources can be kept", "来源数量已达上限"


class SourceUnfit(Invalid):
    """The name is none that an event could have, or the service account is not active or may send no personnel events."""

    code, title, title_zh = "hr_source_unfit", "This cannot be a source", "不能作为人事事件来源"
