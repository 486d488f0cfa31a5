"""Who hands in head-counts, and who may look at what came of them."""

from typing import Final

from app.auth.roles import Role
from app.auth.scopes import Scope
from app.hr.subjects import KIND
from app.kit.models import new_id
from app.permissions.errors import NotPermitted
from app.permissions.outcomes import FieldClass, Purpose
from app.permissions.plan import CohortKey
from app.permissions.standing import Viewer

_PERSONNEL: Final = CohortKey(KIND, None, "active", "normal", ())
"""Whoever may not write an employee's card hands in no head-count."""
_OVERSEE: Final = frozenset({Role.HR, Role.INFOSEC})
"""Those who decide on a blown fuse, and so have to see the diff."""


def sends(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` unless personnel events are taken of ``viewer``."""
    if Scope.HR_WRITE not in viewer.subject.scopes or not _writes(viewer):
        raise NotPermitted


def oversees(viewer: Viewer) -> bool:
    """Tell whether everybody's reconciliations are shown to ``viewer``: to people of HR and of security."""
    return viewer.standing.kind == "person" and not _OVERSEE.isdisjoint(viewer.standing.roles)


def looks(viewer: Viewer) -> None:
    """Raise ``NotPermitted`` unless ``viewer`` sends head-counts or oversees them."""
    if not oversees(viewer):
        sends(viewer)


def _writes(viewer: Viewer) -> bool:
    return viewer.plan(Purpose.WORK_CONTACT).cohort(_PERSONNEL, new_id()).edits >= {FieldClass.C1}
