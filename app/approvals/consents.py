"""Consent that is taken back: what becomes of the course of a request when one of several who consented separately does not any more.

Pure. While others are still asked it counts as a refusal; afterwards the rest goes on without that person, until nobody is left.
"""

from dataclasses import replace
from uuid import UUID

from app.approvals.machine import Course, Refused, Said, StepState, Task, Word, moved


def taken_back(course: Course, person: UUID) -> Course | Refused | None:
    """Give the course without the consent of ``person``; ``None`` where they have given none that is theirs alone to take back."""
    for at, stage in enumerate(course.stages):
        task = next((each for each in stage.tasks if each.person == person and each.word is Word.APPROVE), None)
        if task is None or not stage.separately:
            continue

        def without(word: Word | None, at: int = at, given: Task = task) -> Course:
            tasks = tuple(replace(each, word=word) if each is given else each for each in course.stages[at].tasks)
            return replace(
                course,
                stages=(*course.stages[:at], replace(course.stages[at], tasks=tasks), *course.stages[at + 1 :]),
            )

        if stage.state is StepState.ACTIVE:
            return moved(without(None), Said(person, Word.REJECT))
        return without(Word.REJECT)
    return None


def rests_on(course: Course) -> bool:
    """Tell whether somebody's separate consent is left, of those which the course rests on."""
    return any(task.word is Word.APPROVE for stage in course.stages if stage.separately for task in stage.tasks)
