"""Refusals about consents and privacy notices.

Invalid
├── ConsentNotAsked    consent_not_asked     the form asks for no such consent to this field
└── ProofRequired      proof_required        whoever puts somebody else's word on record says what shows it
Conflict
├── NoticeNotCurrent   notice_not_current    another version is in force, or none yet
└── NoticeRaced        notice_raced          somebody else published at the same moment
"""

from app.kit.errors import Conflict, FieldError, Invalid


class ConsentNotAsked(Invalid):
    """The field is collected on another ground, so consent to collecting it would promise a choice that is none."""

    code, title, title_zh = "consent_not_asked", "The form asks for no such consent", "采集表不要求此项同意"

    def __init__(self, *pointers: str) -> None:
        """Point at the fields."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh) for pointer in pointers])


class ProofRequired(Invalid):
    """A consent that was given elsewhere is put on record with what shows it."""

    code, title, title_zh = "proof_required", "Say what shows this", "须说明凭据"

    def __init__(self) -> None:
        """Point at the proof."""
        super().__init__(errors=[FieldError("/proof", self.code, self.title, self.title_zh)])


class NoticeNotCurrent(Conflict):
    """Only the version in force can be acknowledged."""

    code, title, title_zh = "notice_not_current", "This is not the notice in force", "该版本并非现行告知书"


class NoticeRaced(Conflict):
    """Two versions were published at once; this one was not."""

    code, title, title_zh = "notice_raced", "Another version was published just now", "刚刚已发布另一版本"
