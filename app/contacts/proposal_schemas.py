"""What is told of a proposal for a card."""

from uuid import UUID

from app.disclosure.view import DisclosureNote, FieldView
from app.kit.schemas import Output


class ProposalView(Output):
    """What a request proposes for the protected fields of a contact, each as the reader's card of that contact would show it."""

    request: UUID
    contact: UUID
    fields: dict[str, FieldView]
    disclosure: DisclosureNote
