import pytest

from framework.errors import TrainingError
from models.data import prompts


def test_prompt_ends_right_before_the_number():
    asked = prompts.prompt("  Acme kettle\n1.7 litres ")
    assert asked == "What does this cost to the nearest dollar?\n\nAcme kettle\n1.7 litres\n\nPrice is $"


@pytest.mark.parametrize(("price", "said"), [(0.5, "1"), (1.5, "2"), (2.5, "3"), (105.6, "106"), (999.49, "999")])
def test_completion_is_whole_dollars_half_up(price, said):
    assert prompts.completion(price) == said


@pytest.mark.parametrize("price", [0.49, 0, -3, 999.5, 5000, float("nan"), float("inf")])
def test_completion_refuses_what_no_whole_number_of_three_digits_says(price):
    with pytest.raises(TrainingError, match="cannot be trained on"):
        prompts.completion(price)


@pytest.mark.parametrize(
    ("answer", "price"),
    [
        ("106", 106.0),
        (" 106.00</s>", 106.0),
        ("Price is $1,299.99", 1299.99),
        (prompts.prompt("A set of 4 for $20") + "37", 37.0),
        ("A pack of 12 costs about $ 24.5 today", 24.5),
        ("106.", 106.0),
        ("about 80 dollars", 80.0),
        ("0", None),
        ("$0.00", None),
        ("", None),
        ("no idea", None),
        ("-5", None),
        (prompts.prompt("A set of 4 for $20"), None),
        (prompts.prompt("A set of 4 for $20") + "unknown, 4 pieces", None),
        ("9" * 400, None),
    ],
)
def test_parse_price_reads_an_answer_or_nothing(answer, price):
    assert prompts.parse_price(answer) == price


def test_what_is_asked_for_reads_back():
    for dollars in range(1, 1000):
        assert prompts.parse_price(prompts.completion(dollars)) == dollars
