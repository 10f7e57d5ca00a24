"""Grammars that hold llama.cpp to a JSON schema.

llama-cpp-python turns schemas into GBNF; four of its rules are rewritten. Strings may not hold raw control characters
(they are no JSON), and end; numbers have no exponents and few digits, because "4E+9199" is no price.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from framework.chat.base import Tool
from framework.chat.schema import without_bounds

_RULES = {
    "char": r'[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])',
    "string": r'"\"" char{0,400} "\"" space',
    "integral-part": r'"0" | [1-9] [0-9]{0,8}',
    "decimal-part": r"[0-9]{1,4}",
    "number": r'("-"? integral-part) ("." decimal-part)? space',
}


def grammar_of(schema: Mapping[str, Any]) -> str:
    """The GBNF text for a JSON schema."""
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    lines = json_schema_to_gbnf(json.dumps(_without_lengths(schema))).splitlines()
    rules = dict(line.split(" ::= ", 1) for line in lines if " ::= " in line)
    rules |= {name: rule for name, rule in _RULES.items() if name in rules}
    if "string" in rules:
        rules["char"] = _RULES["char"]
    return "\n".join(f"{name} ::= {rule}" for name, rule in rules.items())


def _without_lengths(schema: Any) -> Any:
    """Without ``maxLength``, which the converter unrolls into hundreds of nested rules. ``maxItems`` stays."""
    if isinstance(schema, dict):
        return {key: _without_lengths(value) for key, value in schema.items() if key not in ("maxLength", "minLength")}
    return [_without_lengths(item) for item in schema] if isinstance(schema, list) else schema


def tool_schema(tools: Sequence[Tool]) -> dict[str, Any]:
    """The schema of a turn: one tool call, or an answer. Works with every model, whatever its chat template knows."""
    answer = {"answer": {"type": "string"}}
    return {
        "anyOf": [
            *(_object({"tool": {"const": tool.name}, "arguments": without_bounds(tool.parameters)}) for tool in tools),
            _object(answer),
        ]
    }


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def tool_rules(tools: Sequence[Tool]) -> str:
    """The words that tell a model of its tools."""
    listed = "\n".join(
        f"- {tool.name}: {tool.description} Arguments: {json.dumps(dict(tool.parameters))}" for tool in tools
    )
    return (
        f'You may use these tools:\n{listed}\nAnswer with one JSON object: {{"tool": name, "arguments": {{...}}}} '
        'to use a tool, or {"answer": text} to finish.'
    )
