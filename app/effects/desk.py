"""Effects by the name that kinds of requests call them by."""

from collections.abc import Mapping

from app.approvals.advancing import Check
from app.approvals.effects import Effect


class EffectDesk:
    """Everything that approving can do."""

    def __init__(self) -> None:
        """Make every effect once."""
        self.effects: Mapping[str, Effect] = {}
        self.checks: Mapping[str, Check] = {}
