"""Refusals of imports.

Invalid
├── UnknownFormat    unknown_import_format   this kind is not read from such files
├── UnknownProfile   unknown_import_profile  no profile of this name is there
├── NothingKeptBack  nothing_kept_back       this kind has nothing to overrule
└── EmptyFile        empty_import            there is nothing in the file
Conflict
└── ImportStopped    import_stopped          it was not finished within a day, or its job was cancelled; its file is gone
"""

from app.kit.errors import Conflict, FieldError, Invalid


class UnknownFormat(Invalid):
    """The kind has other formats."""

    code, title, title_zh = "unknown_import_format", "This kind is not read from such files", "该类导入不支持此文件格式"

    def __init__(self) -> None:
        """Point at the parameter."""
        super().__init__(errors=[FieldError("?format", self.code, self.title, self.title_zh)])


class UnknownProfile(Invalid):
    """There is no such profile."""

    code, title, title_zh = "unknown_import_profile", "There is no such import profile", "导入方案不存在"

    def __init__(self) -> None:
        """Point at the parameter."""
        super().__init__(errors=[FieldError("?profile", self.code, self.title, self.title_zh)])


class NothingKeptBack(Invalid):
    """Nothing of this kind is kept back for requests."""

    code, title, title_zh = "nothing_kept_back", "This kind has nothing to overrule", "该类导入没有可强制接管的内容"

    def __init__(self) -> None:
        """Point at the parameter."""
        super().__init__(errors=[FieldError("?overrule", self.code, self.title, self.title_zh)])


class EmptyFile(Invalid):
    """A file of no bytes."""

    code, title, title_zh = "empty_import", "There is nothing in the file", "文件为空"

    def __init__(self) -> None:
        """Point at the part."""
        super().__init__(errors=[FieldError("/file", self.code, self.title, self.title_zh)])


class ImportStopped(Conflict):
    """The rows that were settled stay; the others were not looked at."""

    code, title, title_zh = "import_stopped", "The import was stopped", "导入已中止"
