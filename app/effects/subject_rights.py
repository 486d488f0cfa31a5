"""``subject.right``: what PIPL 44 to 50 give a person about their own card, decided by the steward, who says why when not.

View and copy are open to everybody at once, without anybody's leave: the answer says where. Correct writes as ``contact.change`` does.
Delete takes named optional values off the card; what history keeps of them stays sealed and is told to the person alone, and what a duty of
law rests on stays (PIPL 47). Limit raises the secrecy of the card, so that nobody sees a way to reach the person beyond what that leaves,
until the person gives it back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.approvals.effects import Applied, Approved, Asked, Cause, Examined
from app.approvals.errors import BadForm
from app.audit.authors import Author
from app.auth.repository import Source
from app.contacts.fields import CATALOGUE, PHOTO
from app.disclosure.records import Record
from app.effects.cards import Cards
from app.kit.db import UnitOfWork
from app.kit.errors import FieldError
from app.permissions.errors import NotPermitted
from app.permissions.standing import Viewer

_DUTIES: Final = frozenset({"legal_duty"})
_LIMITED: Final = "protected"
_OPEN: Final = "normal"
_NEEDS: Final[Mapping[str, str]] = {"correct": "changes", "delete": "fields"}


class SubjectRight:
    """Does what a person has a right to."""

    def __init__(self, cards: Cards) -> None:
        """Take the cards."""
        self._cards = cards

    async def examine(self, source: Source, viewer: Viewer | None, asked: Asked) -> Examined:
        """Read what is asked of one's own card; raise ``NotFound``, ``NotPermitted`` for another's, and every fault of the form."""
        del source
        record, tree = await self._cards.about(viewer, asked)
        if asked.requester != record.subject:
            raise NotPermitted
        right, form, values = asked.form["right"], dict(asked.form), dict[str, str]()
        _refuse_unfit(form)
        touched: Sequence[str] = ()
        match right:
            case "correct":
                proposal = await self._cards.proposal(viewer, record, tree, form["changes"])
                self._cards.refuse_unconsented(record, form["changes"])
                form["changes"], values, touched = proposal.kept, dict(proposal.values), list(proposal.kept)
            case "delete":
                self._refuse_kept(record, form["fields"])
                touched = form["fields"]
            case "limit":
                touched = ["secrecy"]
            case _:
                pass
        return Examined(
            form=form,
            facts={
                "right": right,
                "card": record.cohort.kind,
                "secrecy": record.cohort.secrecy,
                "before": self._cards.before(record, touched),
            },
            about=(record.subject,),
            owner=next(iter(record.cohort.departments), None),
            values=values,
        )

    async def apply(self, unit: UnitOfWork, author: Author, approved: Approved) -> Applied:
        """Do it. Raises as ``Cards.write`` does."""
        form, before, who = approved.asked.form, approved.facts["before"], approved.asked.subject.id
        match form["right"]:
            case "correct":
                await self._cards.write(unit, author, approved, form["changes"], before)
                return Applied(result={"contact": who, "fields": sorted(form["changes"])})
            case "delete":
                await self._cards.write(unit, author, approved, dict.fromkeys(form["fields"]), before)
                return Applied(result={"contact": who, "erased": sorted(form["fields"]), "history": "sealed"})
            case "limit":
                if approved.facts["secrecy"] != _OPEN:
                    return Applied(result={"contact": who, "secrecy": approved.facts["secrecy"]})
                await self._cards.write(unit, author, approved, {"secrecy": _LIMITED}, before)
                return Applied(result={"contact": who, "secrecy": _LIMITED}, lasting=True)
            case _:
                own = f"/v1/contacts/{who}"
                where = ["/v1/me", "/v1/me/viewed-by", f"{own}/history", f"{own}/consents", f"{own}/photo"]
                return Applied(result={"contact": who, "where": where})

    async def end(
        self, unit: UnitOfWork, author: Author, approved: Approved, result: Mapping[str, Any], cause: Cause
    ) -> None:
        """Open a limited card again, unless somebody has given it another secrecy since."""
        del cause
        if result.get("secrecy") == _LIMITED:
            await self._cards.reset(unit, author, approved, "secrecy", _LIMITED, _OPEN)

    def _refuse_kept(self, record: Record, names: Sequence[str]) -> None:
        """Raise ``Invalid`` for members that are no optional protected value, or that a duty of law rests on."""
        kind, forms = record.cohort.kind, self._cards.members.forms
        faults = [
            FieldError(f"/form/fields/{at}", "not_erasable", "This cannot be erased by itself.", "此字段不能单独删除。")
            for at, name in enumerate(names)
            if CATALOGUE.protects(kind, name) is None
            or name == PHOTO.name
            or name in forms.required(kind)
            or forms.basis(kind, name) in _DUTIES
        ]
        if faults:
            raise BadForm(errors=faults)


def _refuse_unfit(form: Mapping[str, Any]) -> None:
    """Raise ``BadForm`` unless the form has what its right needs, and nothing that another right needs."""
    needed = _NEEDS.get(form["right"])
    faults = [
        FieldError(f"/form/{name}", "missing", "This right needs this member.", "该项权利须填写此项。")
        if name == needed
        else FieldError(f"/form/{name}", "unknown_member", "This right takes no such member.", "该项权利无需此项。")
        for name in _NEEDS.values()
        if (name == needed) != (name in form)
    ]
    if faults:
        raise BadForm(errors=faults)
