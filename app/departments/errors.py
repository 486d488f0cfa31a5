"""Refusals about departments.

Conflict
├── DuplicateDepartmentCode   duplicate_department_code
├── DepartmentNotEmpty        department_not_empty     it still has children or members
└── DepartmentHasNumbers      department_has_numbers   it owns a number pool or holds a number
Invalid
├── DepartmentLoop            department_loop          the tree would become a ring
├── DepartmentTooDeep         department_too_deep      more levels than the tree takes
├── UnknownParent             unknown_parent
└── UnknownHolder             unknown_holder           a head or deputy who is not in the directory
"""

from app.kit.errors import Conflict, FieldError, Invalid, Problem


class DuplicateDepartmentCode(Conflict):
    """Another department has this code."""

    code, title, title_zh = "duplicate_department_code", "The department code is taken", "部门编码已被使用"


class DepartmentNotEmpty(Conflict):
    """Something or somebody still belongs to it."""

    code, title, title_zh = "department_not_empty", "The department has children or members", "部门下仍有子部门或成员"


class DepartmentHasNumbers(Conflict):
    """A pool of numbers is the department's, or it holds a number; somebody decides first whose they are to be."""

    code, title, title_zh = (
        "department_has_numbers",
        "The department owns number pools or holds numbers",
        "部门名下仍有号段池或短号",
    )


class DepartmentLoop(Invalid):
    """A department would hang below itself."""

    code, title, title_zh = "department_loop", "A department cannot hang below itself", "部门不能隶属于其自身或下级部门"

    def __init__(self) -> None:
        """Point at the parent."""
        super().__init__(errors=[_fault(type(self), "/parent")])


class DepartmentTooDeep(Invalid):
    """The tree would have more levels than it takes."""

    code, title, title_zh = "department_too_deep", "The tree would have too many levels", "部门层级过多"

    def __init__(self) -> None:
        """Point at the parent."""
        super().__init__(errors=[_fault(type(self), "/parent")])


class UnknownParent(Invalid):
    """No such department to hang below."""

    code, title, title_zh = "unknown_parent", "There is no such parent department", "上级部门不存在"

    def __init__(self) -> None:
        """Point at the parent."""
        super().__init__(errors=[_fault(type(self), "/parent")])


class UnknownHolder(Invalid):
    """Nobody of this id is in the directory, or nobody whom the writer may know of; the two look alike."""

    code, title, title_zh = "unknown_holder", "There is no such contact in the directory", "通讯录中没有该联系人"

    def __init__(self, *pointers: str) -> None:
        """Point at the positions."""
        super().__init__(errors=[_fault(type(self), pointer) for pointer in pointers])


def _fault(kind: type[Problem], pointer: str) -> FieldError:
    return FieldError(pointer, kind.code, kind.title, kind.title_zh)
