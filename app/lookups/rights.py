"""May this viewer be told that this contact has a value: the plan's word, kind by kind.

Pure. Numbers of the house and employee numbers are C1: whoever may know of a contact may find it by them.
"""

from app.contacts.tag_rules import TagKind
from app.permissions.outcomes import FieldClass, Outcome
from app.permissions.plan import Cohort


def may_look_up(cohort: Cohort, kind: TagKind | None) -> bool:
    """Tell whether the verdict ``cohort`` lets a contact be found by ``kind``; ``None`` stands for what is C1."""
    if not cohort.visible or kind is None:
        return cohort.visible
    if kind is TagKind.ENDING:
        return cohort.reveals[FieldClass.C3] is Outcome.CLEAR
    if kind in {TagKind.MOBILE, TagKind.EMAIL, TagKind.NAME}:
        return cohort.shows[FieldClass.C3] > Outcome.HIDDEN
    return False
