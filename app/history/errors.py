"""Refusals of purges.

Invalid
├── UnfitPurge          unfit_purge          ``errors`` says which member of the form and why
└── CertificateInvalid  certificate_invalid  a line of certificates that our log's key did not sign, or whose keys are others
Conflict
├── NothingToPurge      nothing_to_purge     no key of history that is old enough is left there
└── HistoryMoved        history_moved        somebody else destroyed some of the same keys meanwhile
"""

from app.kit.errors import Conflict, FieldError, Invalid


class UnfitPurge(Invalid):
    """The form is well formed, and asks for what no purge does."""

    code, title, title_zh = "unfit_purge", "No purge does this", "无法按此清除历史"

    def __init__(self, pointer: str, code: str, detail: str, detail_zh: str) -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, code, detail, detail_zh)])


class CertificateInvalid(Invalid):
    """What is destroyed again is what a certificate states, and nothing else."""

    code, title, title_zh = "certificate_invalid", "This is no certificate of a purge here", "清除证书无效"


class NothingToPurge(Conflict):
    """All of it is purged already, or was written before history had keys of its own."""

    code, title, title_zh = "nothing_to_purge", "Nothing there is left to purge", "没有可清除的历史值"


class HistoryMoved(Conflict):
    """Two purges met; the one that came second does nothing."""

    code, title, title_zh = "history_moved", "Another purge took some of this meanwhile", "部分历史值已被另一次清除处理"
