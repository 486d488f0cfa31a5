"""What can go wrong with keys and boxes.

    Problem
    ├── SealBroken 500       seal_broken       any failure to open or to verify, whatever the cause
    ├── PermitRefused 500    permit_refused    a permit that does not cover what was asked
    └── Unavailable 503
        └── KeyUnavailable   key_unavailable   the key itself is out of reach: root, version, state

All three say the same sentence every time they are raised, so that no caller learns which check failed. What exactly
happened is in ``cause_code`` (and, for operators, ``KeyUnavailable.reason``), which go to the security log and a
metric.
"""

from app.kit.errors import Internal, Unavailable


class SealBroken(Internal):
    """A box, a wrapped key or a row MAC is not what was written; the one error for every such failure."""

    status, code = 500, "seal_broken"
    title, title_zh = "A protected value cannot be opened", "受保护的数据无法打开"

    def __init__(self, cause_code: str) -> None:
        """Keep the cause for the security log; the message never varies."""
        super().__init__()
        self.cause_code = cause_code


class PermitRefused(Internal):
    """Somebody tried to open more than the durable access log had recorded."""

    status, code = 500, "permit_refused"
    title, title_zh = "The permit does not cover this", "许可不包含此项"

    def __init__(self, cause_code: str) -> None:
        """Keep the cause for the security log; the message never varies."""
        super().__init__()
        self.cause_code = cause_code


class KeyUnavailable(Unavailable):
    """A key cannot be had now; nothing was opened and nothing was sealed."""

    code, title, title_zh = "key_unavailable", "A key is not available", "密钥暂不可用"

    def __init__(self, reason: str) -> None:
        """Keep what an operator has to know (never key material); a caller is told the title alone."""
        super().__init__()
        self.reason = reason

    def __str__(self) -> str:
        """Tell the operator, on the console and in the log, which key and why."""
        return f"{self.title}: {self.reason}"
