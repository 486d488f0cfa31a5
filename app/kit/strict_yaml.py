"""YAML that people review: no duplicate members, merge keys or aliases, by which they would see one thing and the machine another."""

from typing import Any

import yaml


class BadYamlError(ValueError):
    """The text is not plain YAML; the message says on which line."""


class _StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 — signature of PyYAML
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                message = f"line {key.start_mark.line + 1}: a member's name is a word"
                raise BadYamlError(message)
            if key.value == "<<" or key.value in seen:
                message = f"line {key.start_mark.line + 1}: duplicate or merge member {key.value!r}"
                raise BadYamlError(message)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            message = "aliases are not taken"
            raise BadYamlError(message)
        return super().compose_node(parent, index)


def read(text: str) -> Any:  # noqa: ANN401 — any YAML
    """Read one document; raise ``BadYamlError`` for what is not YAML, or more than plain."""
    try:
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 — a stricter SafeLoader
    except yaml.YAMLError as error:
        raise BadYamlError(str(error)) from error
