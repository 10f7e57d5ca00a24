"""JSON schemas for structured replies, and the reading of replies that claim to follow one.

``strict_schema`` writes what OpenAI calls a strict schema (every property required, no others allowed), which the
other servers and llama.cpp's grammars take too. ``read_reply`` forgives what models do around JSON (a code fence, a
<think> block, words before and after) and nothing inside it.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)

_THOUGHTS = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL | re.IGNORECASE)
_FORBIDDEN_KEYS = ("default", "title")
# Bounds that OpenAI's strict mode has refused at one time or another; pydantic checks them after the reply anyway.
# Lengths stay for grammars, which would not end without them.
BOUNDS = (
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
)


def strict_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of ``model`` with every property required and no others allowed, references resolved."""
    schema = model.model_json_schema()
    resolved = _strict(schema, schema.get("$defs", {}))
    assert isinstance(resolved, dict)  # noqa: S101 - an object stays an object
    return resolved


def without_bounds(schema: Any) -> Any:
    """The schema without lengths and limits, for servers that refuse a schema with them."""
    if isinstance(schema, dict):
        return {
            key: (
                {name: without_bounds(value) for name, value in inner.items()}
                if key == "properties"
                else without_bounds(inner)
            )
            for key, inner in schema.items()
            if key not in BOUNDS
        }
    return [without_bounds(item) for item in schema] if isinstance(schema, list) else schema


def _strict(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_strict(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        return _strict({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    strict = {
        key: _strict(value, definitions)
        for key, value in node.items()
        if key not in (*_FORBIDDEN_KEYS, "$defs", "properties")
    }
    if "properties" in node:
        strict["properties"] = {name: _strict(value, definitions) for name, value in node["properties"].items()}
        strict["required"] = list(node["properties"])
    if strict.get("type") == "object":
        strict["additionalProperties"] = False
        strict.setdefault("properties", {})
    return strict


def read_reply(text: str, model: type[T]) -> T:
    """The instance of ``model`` that a reply holds.

    Raises ``ValueError`` with a sentence that can be shown to the model: where the JSON breaks, or which field is
    wrong and why (never the whole input back).
    """
    data = _first_object(_THOUGHTS.sub("", text))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc']) or 'reply'}: {fault['msg']}"
            for fault in error.errors(include_input=False, include_url=False)[:5]
        )
        raise ValueError(f"the reply does not fit the schema: {faults}") from None


def _first_object(text: str) -> dict[str, Any]:
    """The first JSON object in the text. Control characters inside strings pass: llama.cpp's grammar allows them."""
    start = text.find("{")
    if start < 0:
        raise ValueError("the reply has no JSON object")
    try:
        data, _ = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise ValueError(f"the reply is no valid JSON at character {error.pos}") from None
    except RecursionError:
        raise ValueError("the reply is nested too deep") from None
    return data  # type: ignore[no-any-return]


def _no_constant(name: str) -> float:
    raise ValueError(f"the reply holds {name}, which is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    return number if math.isfinite(number) else _no_constant(digits[:20])


_DECODER = json.JSONDecoder(strict=False, parse_constant=_no_constant, parse_float=_finite)
