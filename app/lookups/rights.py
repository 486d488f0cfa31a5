"""May this viewer be told that this contact has a value: the plan's word, kind by kind.

Pure. Numbers of the house and employee numbers are C1: whoever may know of a contact may find it by them.
"""

from app.permissions.outcomes import Tag
from app.permissions.plan import Cohort


def may_look_up(cohort: Cohort, kind: Tag | None) -> bool:
    """Tell whether the verdict ``cohort`` lets a contact be found by ``kind``; ``None`` stands for what is C1."""
    return cohort.visible and (kind is None or kind in cohort.lookups)
