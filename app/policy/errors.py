"""Refusals about packs.

Conflict
├── PolicyVersionTaken    policy_version_taken     this profile has another pack of this number
└── PolicyInForce         policy_in_force          it is the pack in force already
Invalid
├── BadPolicyPack         bad_policy_pack          not a pack; ``errors`` says where
├── PolicyTestsFailed     policy_tests_failed      the pack's own tests fail; ``errors`` names them
├── SimulationMismatch    simulation_mismatch      not a finished simulation of this pack against the one in force
└── UnknownPolicyVersion  unknown_policy_version   there is no such version
"""

from typing import Self
from uuid import UUID

from app.kit.errors import Conflict, FieldError, Invalid


class PolicyVersionTaken(Conflict):
    """A number names one content for ever, those of the packs that ship theirs; a changed pack takes the next number."""

    code, title, title_zh = (
        "policy_version_taken",
        "Another pack has this version number",
        "该版本号已被其他策略使用",
    )

    @classmethod
    def by_stored(cls, label: str, identity: UUID) -> Self:
        """Say which stored version has the number, and what to do."""
        return cls(
            f"The number is that of {label}. Give this pack a number of its own (of one that ships: a copy of its file), "
            f"or activate that one by its id, {identity}.",
            detail_zh=f"该版本号属于 {label}。请另取版本号（随服务提供的策略请先复制文件），或按编号 {identity} 启用已存的版本。",
        )

    @classmethod
    def by_shipped(cls, number: str) -> Self:
        """Say that the number is of a pack that ships, and what to do."""
        return cls(
            f"{number} is the number of a pack that ships with the service, and this is another: send that one with all its tests, "
            "or give this pack a number of its own.",
            detail_zh=f"{number} 是随服务提供的策略的版本号，内容与此不同：请连同其全部测试一并提交，或另取版本号。",
        )


class PolicyInForce(Conflict):
    """Nothing would change."""

    code, title, title_zh = "policy_in_force", "This version is in force", "该版本已生效"


class BadPolicyPack(Invalid):
    """What was sent is not a pack, or not one that a reviewer and the machine would read alike."""

    code, title, title_zh = "bad_policy_pack", "This is not a policy pack", "策略文件无效"


class PolicyTestsFailed(Invalid):
    """A pack must keep its own promises before it can be in force."""

    code, title, title_zh = "policy_tests_failed", "The pack's own tests fail", "策略自带的测试未通过"


class SimulationMismatch(Invalid):
    """A simulation is of two packs; it says nothing of any other two."""

    code, title, title_zh = (
        "simulation_mismatch",
        "Not a finished simulation of this pack against the one in force",
        "模拟结果与该策略及当前策略不符",
    )


class UnknownPolicyVersion(Invalid):
    """No version has this id."""

    code, title, title_zh = "unknown_policy_version", "There is no such policy version", "策略版本不存在"

    def __init__(self, pointer: str = "/version") -> None:
        """Point at the member."""
        super().__init__(errors=[FieldError(pointer, self.code, self.title, self.title_zh)])
