"""A request as a value, with its files: its record both ways, rows of before, when it takes files, and the digest that is signed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import pytest

from app.approvals.chains import StepType, load
from app.approvals.machine import Course, Stage, State, StepState, Task, Word
from app.approvals.repository import RequestRepository
from app.approvals.request import Attached, Request, as_record, from_record
from app.approvals.values import Asked, Subject, Term
from app.crypto.rowmac import RowSigner
from app.crypto.secretbox import SecretBox

NOW: Final = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
ME, HEAD = UUID(int=1), UUID(int=2)
FILES: Final = (Attached(UUID(int=7), b"a" * 32), Attached(UUID(int=8), b"b" * 32))
COLUMNS: Final[dict[str, Any]] = {
    "id": UUID(int=9),
    "kind": "contact.change",
    "version": 1,
    "requester": ME,
    "beneficiary": ME,
    "subject": Subject("contact", str(ME)),
    "filed_at": NOW,
    "updated_at": NOW,
    "digest": b"d" * 32,
}


def request(*, state: State = State.PENDING, word: Word | None = None) -> Request:
    step = next(each for each in load().by_name["contact.change"].variants if each.name == "own").steps[0]
    stage = Stage(id=step.id, type=StepType.ANY, state=StepState.ACTIVE, tasks=(Task(person=HEAD, word=word),))
    return Request(
        **COLUMNS,
        chains="c",
        variant="own",
        steps=(step,),
        round=1,
        about=(ME,),
        owner=None,
        facts={},
        term=Term(),
        begins=None,
        course=Course(state=state, stages=(stage,)),
        opened=NOW,
        pending_days=10,
        closes=NOW,
        attachments=FILES,
    )


def test_files_are_in_the_record_and_a_row_of_before_has_none() -> None:
    written = as_record(request())
    assert from_record(written, state="pending", **COLUMNS) == request()
    del written["attachments"]
    assert from_record(written, state="pending", **COLUMNS) == replace(request(), attachments=())


@pytest.mark.parametrize("word", [None, *Word])
@pytest.mark.parametrize("state", State)
def test_it_takes_files_before_the_first_word_or_when_it_is_filed_anew(state: State, word: Word | None) -> None:
    anew = state in {State.AMENDING, State.NEEDS_REAPPROVAL}
    assert request(state=state, word=word).takes_files == (anew or (state is State.PENDING and word is None))


def test_what_is_signed_covers_every_file_and_their_order() -> None:
    rows = RequestRepository(RowSigner(bytes(32)), SecretBox(bytes(32)), bytes(32))
    asked = Asked(kind="k", requester=ME, beneficiary=ME, subject=Subject("contact", "x"), form={})
    one, other = FILES
    signed = {
        rows.digest(asked, {}, files)
        for files in ((), (one,), (other,), FILES, (other, one), (replace(one, digest=other.digest),))
    }
    assert len(signed) == 6
    assert rows.extended(rows.digest(asked, {}, (one,)), other) == rows.digest(asked, {}, FILES)
    assert rows.digest(asked, {}) == rows.digest(asked, {}, ())


def test_the_form_says_which_member_names_a_file() -> None:
    assert {each.kind: each.attachments for each in load().kinds if each.attachments} == {"contact.change": ("proof",)}
