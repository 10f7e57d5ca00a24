"""Training data of a chat model: priced products as conversations, checked as strictly as OpenAI does.

A line is ``{"messages": [system, user, assistant]}``. What OpenAI would refuse after the upload is refused here before
it: wrong roles, empty texts, too few examples, examples or files that are too large.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.errors import TrainingError
from models.data.products import Product
from models.data.prompts import ANSWER, LEAST_PRICE, MOST_PRICE, SYSTEM, completion, question
from models.tokenizer import ARTIFACTS, load_tokenizer

FEWEST = 10  # examples that OpenAI asks for
MOST_TOKENS = 65_536  # of one example
MOST_BYTES = 512 * 2**20  # of one file
_ROLES = ("system", "developer", "user", "assistant")
_AROUND = 4  # tokens that a message costs besides its text (OpenAI's cookbook, "How to count tokens")


@dataclass(frozen=True, slots=True)
class ChatFile:
    """A checked file. ``tokens`` is counted with the shipped tokenizer: OpenAI's own count is some percent lower."""

    path: Path
    examples: int
    tokens: int


def conversation(product: Product) -> dict[str, Any]:
    """A product as a conversation that ends with its price."""
    return {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": question(product.text)},
            {"role": "assistant", "content": ANSWER + completion(product.price)},
        ]
    }


def write_chat(products: Iterable[Product], path: Path, most: int) -> int:
    """Write the first ``most`` products that a completion can be made of; returns their number."""
    usable = [product for product in products if LEAST_PRICE <= product.price <= MOST_PRICE][:most]
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(conversation(product), ensure_ascii=False) + "\n" for product in usable)
    return len(usable)


def check_chat(path: Path) -> ChatFile:
    """The file, if OpenAI would take it.

    Raises ``TrainingError`` that names the first faults by line.
    """
    if path.stat().st_size > MOST_BYTES:
        raise TrainingError(
            f"{path} has more than {MOST_BYTES // 2**20} MiB, the most for one file; take fewer examples"
        )
    tokenizer = load_tokenizer(ARTIFACTS / "tokenizer.json")
    tokenizer.no_truncation()
    tokenizer.no_padding()
    faults: list[str] = []
    examples = tokens = 0
    with path.open(encoding="utf-8", errors="replace") as lines:
        for number, line in enumerate(lines, 1):
            messages = _messages(line)
            fault = messages if isinstance(messages, str) else _fault(messages)
            if not fault:
                size = _size(messages, tokenizer)
                fault = f"has {size:,} tokens, more than {MOST_TOKENS:,}" if size > MOST_TOKENS else None
                examples, tokens = examples + 1, tokens + size
            if fault:
                faults.append(f"line {number} {fault}")
    if faults:
        more = f" and {len(faults) - 3:,} more" if len(faults) > 3 else ""
        raise TrainingError(f"{path} cannot be trained on: {'; '.join(faults[:3])}{more}")
    if examples < FEWEST:
        raise TrainingError(f"{path} has {examples} examples; OpenAI asks for at least {FEWEST}")
    return ChatFile(path, examples, tokens)


def _messages(line: str) -> Any:
    """The messages of a line, or what is wrong with it."""
    try:
        record = json.loads(line)
    except ValueError:
        return "is no JSON"
    messages = record.get("messages") if isinstance(record, dict) else None
    return messages if isinstance(messages, list) and messages else "has no list of messages"


def _fault(messages: Sequence[Any]) -> str | None:
    for message in messages:
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            return f"has a message whose role is none of {', '.join(_ROLES)}"
        if not isinstance(message.get("content"), str) or not message["content"].strip():
            return f"has a message of {message['role']} without text"
    if messages[-1]["role"] != "assistant":
        return "does not end with the assistant's answer"
    if not any(message["role"] == "user" for message in messages):
        return "has no message of the user"
    return None


def _size(messages: Sequence[dict[str, str]], tokenizer: Any) -> int:
    texts = [message["content"].encode("utf-8", "replace").decode() for message in messages]  # no lone surrogates
    encodings = tokenizer.encode_batch(texts, add_special_tokens=False)
    return sum(len(encoding.ids) + _AROUND for encoding in encodings)
