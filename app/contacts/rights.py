"""Who the caller is in the directory, beside how a look is decided with the rights of now."""

from uuid import UUID

from app.disclosure.rights import CurrentRights, seek
from app.permissions.errors import NoContact
from app.permissions.standing import Viewer

__all__ = ["CurrentRights", "own_contact", "seek"]


def own_contact(viewer: Viewer) -> UUID:
    """Give the contact that the caller is; raise ``NoContact`` for a service, which is nobody in the directory."""
    if viewer.standing.contact_id is None:
        raise NoContact
    return viewer.standing.contact_id
