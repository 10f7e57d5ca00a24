"""The conversation on the page: growing answers, failures in their own words, and text that stays text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from framework.views.ask import Turn, conversation, nobody_to_ask
from framework.web.talk import talk
from tests.fakes import board


def test_a_question_is_shown_at_once_and_its_whole_answer_last() -> None:
    first, *_, last = talk(board.ask, " Which kettle? ", [])
    assert first == [Turn("Which kettle?")]
    assert last == [Turn("Which kettle?", "You asked: Which kettle? (turns before: 0)")]


def test_a_failed_turn_stays_on_the_page_and_out_of_the_next_question() -> None:
    asked: list[Sequence[tuple[str, str]]] = []

    def remembering(question: str, turns: Sequence[tuple[str, str]]) -> Iterator[str]:
        asked.append(turns)
        return board.ask(question, turns)

    *_, failed = talk(remembering, "fail", [Turn("One?", "Two.")])
    assert failed[-1].failed
    assert "The server does not answer" in failed[-1].answer
    *_, last = talk(remembering, "again", failed)
    assert len(last) == 3
    assert asked == [[("One?", "Two.")], [("One?", "Two.")]]


def test_no_question_asks_nothing() -> None:
    assert list(talk(board.ask, " \n", [Turn("One?", "Two.")])) == [[Turn("One?", "Two.")]]


def test_a_long_conversation_forgets_its_beginning() -> None:
    *_, last = talk(board.ask, "next", [Turn(str(number), "yes") for number in range(200)])
    assert len(last) == 30
    assert last[-1].question == "next"


@pytest.mark.parametrize(
    "attack",
    [
        "<img src=x onerror=alert(1)>",
        "![x](https://evil.example/?leak)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        'https://evil.example/"onmouseover="alert(1)',
        "[<svg onload=alert(1)>](https://shop.example/)",
    ],
)
@pytest.mark.parametrize("failed", [False, True])
def test_a_model_s_words_never_become_markup_that_loads_or_runs(attack: str, failed: bool) -> None:
    page = conversation([Turn(attack, attack, failed)])
    for opening in ("<img", "<script", "<svg", 'href="javascript', 'href="data', '"onmouseover'):
        assert opening not in page


def test_web_addresses_in_an_answer_become_links_that_tell_the_site_nothing() -> None:
    page = conversation([Turn("?", "See [the kettle](https://shop.example/k?a=1) or https://shop.example/b.")])
    rel = 'target="_blank" rel="noopener noreferrer nofollow"'
    assert f'See <a href="https://shop.example/k?a=1" {rel}>the kettle</a> or' in page
    assert f'<a href="https://shop.example/b" {rel}>https://shop.example/b</a>.' in page


def test_without_a_model_it_says_what_to_set() -> None:
    assert "DEALHOUND_LLM_BASE_URL" in nobody_to_ask()
