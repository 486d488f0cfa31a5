"""Effects by the name that kinds of requests call them by."""

from collections.abc import Mapping

from app.approvals.advancing import Check
from app.approvals.effects import Effect


class EffectDesk:
    """Everything that approving can do."""

    def __init__(self, *groups: Mapping[str, Effect]) -> None:
        """Take the effects, made once, group by group."""
        self.effects: Mapping[str, Effect] = {name: effect for group in groups for name, effect in group.items()}
        self.checks: Mapping[str, Check] = {}
