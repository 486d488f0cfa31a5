"""Packs, versions and activations as callers are shown them: outcomes by name, members that say nothing left out."""

from typing import Any, Final

import orjson

from app.permissions.outcomes import Outcome
from app.permissions.pack import Pack, Rule
from app.permissions.versions import Activation, Version
from app.policy.checking import Remark
from app.policy.simulation_repository import Simulation

_OUTCOMES: Final = ("shows", "reveals")
_SAID: Final = frozenset({"id", "effect", "clauses", "zh", "en", "viewer", "contact"})


def rule_view(rule: Rule) -> dict[str, Any]:
    """Show a rule as it is written."""
    whole = rule.model_dump(mode="json", exclude_defaults=True)
    gives = {name: value for name, value in whole.items() if name not in _SAID}
    for name in _OUTCOMES:
        if name in gives:
            gives[name] = {each: Outcome(value).name.lower() for each, value in gives[name].items()}
    return {
        **{name: whole[name] for name in ("id", "effect", "clauses", "zh", "en")},
        "viewer": whole.get("viewer", {}),
        "contact": whole.get("contact", {}),
        "gives": gives,
    }


def policy_view(activation: Activation, version: Version, pack: Pack) -> dict[str, Any]:
    """Show the pack in force."""
    return {
        "id": str(version.id),
        "label": version.label,
        "version": version.version,
        "profile": version.profile,
        "digest": version.digest,
        "zh": pack.zh,
        "en": pack.en,
        "since": activation.at,
        "rules": [rule_view(rule) for rule in pack.rules],
        "tests": len(pack.tests),
    }


def version_item(version: Version, state: str) -> dict[str, Any]:
    """Show one version of a list."""
    return {
        "id": str(version.id),
        "label": version.label,
        "version": version.version,
        "profile": version.profile,
        "digest": version.digest,
        "state": state,
        "author": {"type": version.author_type, "id": version.author_id},
        "created_at": version.created_at,
    }


def remark_view(remark: Remark) -> dict[str, Any]:
    """Show one remark."""
    return {name: getattr(remark, name) for name in ("pointer", "about", "code", "en", "zh")}


def activation_item(activation: Activation) -> dict[str, Any]:
    """Show one entry into force."""
    return {
        "id": str(activation.id),
        "version": str(activation.version_id),
        "previous": None if activation.previous_id is None else str(activation.previous_id),
        "kind": activation.kind,
        "at": activation.at,
        "actor": {"type": activation.actor_type, "id": activation.actor_id},
        "request_id": None if activation.request_id is None else str(activation.request_id),
        "simulation_id": None if activation.simulation_id is None else str(activation.simulation_id),
        "reason": activation.reason,
    }


def simulation_view(simulation: Simulation, *, current: bool) -> dict[str, Any]:
    """Show one simulation; its result is stored as it is told."""
    return {
        "id": str(simulation.id),
        "state": "pending" if simulation.result is None else "done",
        "base": simulation.base_digest,
        "candidate": simulation.candidate_digest,
        "current": current,
        "job_id": None if simulation.job_id is None else str(simulation.job_id),
        "sample": simulation.sample,
        "author": {"type": simulation.author_type, "id": simulation.author_id},
        "created_at": simulation.created_at,
        "finished_at": simulation.finished_at,
        "result": None if simulation.result is None else orjson.Fragment(simulation.result.encode()),
    }
