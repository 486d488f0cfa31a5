"""Refusals of attachments.

Invalid
├── UnfitFileName        unfit_file_name          no name, or not one that every system can keep
├── ContentMismatch      content_mismatch         content, declared media type and extension do not agree
├── UnreadableFile       unreadable_file          it begins as what it should be and goes on otherwise
└── UnsafeContent        unsafe_content           scripts, macros, something inside, a second format, or far too much when unfolded
Conflict
└── AttachmentUnreadable attachment_unreadable    it is not as it was sealed
Problem
└── UploadTooSlow        upload_too_slow          it took so long that others wait for its place
TooMany
└── TooManyUploads       too_many_uploads         the caller, or everybody, uploads several files already

Those of filing with attachments stand with requests (``approvals.errors``).
"""

from app.kit.errors import Conflict, FieldError, Invalid, Problem, TooMany


class _AtTheFile(Invalid):
    """Points at the part of the form that holds the file."""

    def __init__(self, detail: str | None = None, *, detail_zh: str | None = None) -> None:
        """Say what is wrong; never quotes the file."""
        said = FieldError("/file", self.code, detail or self.title, detail_zh or self.title_zh)
        super().__init__(detail, detail_zh=detail_zh, errors=[said])


class UnfitFileName(_AtTheFile):
    """Parts of paths, characters that cannot be seen, names that a system keeps for itself."""

    code, title, title_zh = "unfit_file_name", "The file needs a plain name with its extension", "文件名不符合要求"


class ContentMismatch(_AtTheFile):
    """What the file is, what it is said to be, and what it is called are three different things."""

    code, title, title_zh = (
        "content_mismatch",
        "Content, media type and extension of the file do not agree",
        "文件内容、媒体类型与扩展名不一致",
    )


class UnreadableFile(_AtTheFile):
    """Damaged, cut off, or written in a way that cannot be judged."""

    code, title, title_zh = "unreadable_file", "The file cannot be read", "文件无法读取"


class UnsafeContent(_AtTheFile):
    """Something in the file acts, hides, or unfolds without end."""

    code, title, title_zh = (
        "unsafe_content",
        "The file holds what an attachment may not hold",
        "文件含有不允许的内容",
    )


class AttachmentUnreadable(Conflict):
    """Somebody changed it past the service; security is told."""

    code, title, title_zh = "attachment_unreadable", "The attachment is not as it was sealed", "附件已损坏或被改动"


class UploadTooSlow(Problem):
    """Five minutes are enough for ten mebibytes on a poor line."""

    status, code, title, title_zh = 408, "upload_too_slow", "The upload took too long", "上传超时"


class TooManyUploads(TooMany):
    """Each upload is held in memory until it is judged."""

    code, title, title_zh = "too_many_uploads", "You upload several files already", "同时上传的文件过多"

    def __init__(self) -> None:
        """Say when to try again."""
        super().__init__(headers={"Retry-After": "5"})
