"""Who answers for what: the heads above a holder, security, administration. Pure over the tree and those who can act.

An owner is the head of the holder's department, or the next one above when the holder is that head or there is none; who has nobody above
is answered for by administration, tiers and roles of power by security first. Nobody ever answers for a right of their own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from app.campaigns.rules import TIER, Post
from app.departments.tree import Tree

HEAD, SECURITY, ADMINISTRATION, SELF, NOBODY = "head", "infosec", "administration", "self", "nobody"


@dataclass(frozen=True, slots=True)
class Staff:
    """The tree, who of those in it can act at all (in service, with an account), and who holds the two offices, the first asked first."""

    tree: Tree
    able: frozenset[UUID]
    security: tuple[UUID, ...]
    administration: tuple[UUID, ...]

    def posts(self, kind: str, holder: UUID | None, department: UUID | None) -> list[Post]:
        """List who can answer for something of ``holder``, who belongs to ``department``, the owner first, then those above."""
        offices = [*self._office(SECURITY), *self._office(ADMINISTRATION)]
        heads = list(self._heads(department))
        order = [*offices, *heads] if kind == TIER else [*heads, *self._office(ADMINISTRATION), *self._office(SECURITY)]
        return list(self._once(order, holder))

    def after(self, posts: Iterable[Post], person: UUID | None) -> Post | None:
        """Give who comes after ``person``; the first of all when that person is not among them, ``None`` when nobody follows."""
        listed = list(posts)
        people = [post.person for post in listed]
        at = people.index(person) + 1 if person in people else 0
        return listed[at] if at < len(listed) else None

    def holds(self, post: Post) -> bool:
        """Tell whether somebody can still act and is still what they were asked as."""
        if post.person not in self.able:
            return False
        match post.kind:
            case "head":
                node = None if post.department is None else self.tree.nodes.get(post.department)
                return node is not None and node.head_id == post.person
            case "infosec":
                return post.person in self.security
            case "administration":
                return post.person in self.administration
            case _:
                return True

    def _heads(self, department: UUID | None) -> Iterator[Post]:
        for node in reversed(() if department is None else self.tree.ancestry(department)):
            if node.head_id is not None:
                yield Post(node.head_id, HEAD, node.id)

    def _office(self, office: str) -> Iterator[Post]:
        for person in self.security if office == SECURITY else self.administration:
            yield Post(person, office)

    def _once(self, posts: Iterable[Post], holder: UUID | None) -> Iterator[Post]:
        seen = {holder}
        for post in posts:
            if post.person not in seen and post.person in self.able:
                seen.add(post.person)
                yield post
