"""Conversations for OpenAI: made, and refused before the upload where OpenAI would refuse after it."""

import json

import pytest

from framework.errors import TrainingError
from models.data.products import Product
from models.data.prompts import parse_price
from models.train.chat_data import check_chat, write_chat

GOOD = {"messages": [{"role": "user", "content": "How much?"}, {"role": "assistant", "content": "Price is $5"}]}


def _product(number, price=20.0):
    return Product(f"p{number}", f"Kettle {number}", "1.7 L", price, "prose", 2023, "g", "train", "Kitchen")


def _file(path, lines):
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def test_products_become_conversations_that_end_with_their_price(tmp_path):
    path = tmp_path / "train.jsonl"
    products = [_product(0, 5_000.0), *(_product(n, 10.4 + n) for n in range(1, 20))]
    assert write_chat(products, path, 12) == 12
    checked = check_chat(path)
    lines = [json.loads(line)["messages"] for line in path.read_text().splitlines()]
    assert checked.examples == 12
    assert 12 * 30 < checked.tokens < 12 * 80
    assert [message["role"] for message in lines[0]] == ["system", "user", "assistant"]
    assert "Kettle 1\n1.7 L" in lines[0][1]["content"]
    assert parse_price(lines[0][2]["content"]) == 11


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("{half", "no JSON"),
        ("[]", "no list of messages"),
        ({"messages": []}, "no list of messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "whose role"),
        ({"messages": ["x"]}, "whose role"),
        ({"messages": [{"role": "user", "content": " "}]}, "without text"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "without text"),
        ({"messages": GOOD["messages"][:1]}, "does not end"),
        ({"messages": GOOD["messages"][1:]}, "no message of the user"),
        ({"messages": [{"role": "user", "content": "word " * 70_000}, GOOD["messages"][1]]}, "tokens"),
    ],
)
def test_a_line_that_openai_refuses_is_named(tmp_path, line, fault):
    path = _file(tmp_path / "chat.jsonl", [GOOD] * 10 + [line])
    with pytest.raises(TrainingError, match=f"line 11 .*{fault}"):
        check_chat(path)


def test_many_faults_are_counted(tmp_path):
    with pytest.raises(TrainingError, match=r"line 1 .*line 3 .* and 4 more"):
        check_chat(_file(tmp_path / "chat.jsonl", ["{"] * 7))


def test_nine_examples_are_too_few(tmp_path):
    with pytest.raises(TrainingError, match="9 examples; OpenAI asks for at least 10"):
        check_chat(_file(tmp_path / "chat.jsonl", [GOOD] * 9))


def test_a_file_that_is_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("models.train.chat_data.MOST_BYTES", 100)
    with pytest.raises(TrainingError, match="the most for one file"):
        check_chat(_file(tmp_path / "chat.jsonl", [GOOD] * 10))
