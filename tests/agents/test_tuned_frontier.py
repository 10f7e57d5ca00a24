"""A model fine-tuned on prices as the frontier member."""

import math

from agents.assemble import Hound
from agents.tuned_frontier import TunedFrontierEstimator
from framework.settings import load_settings
from tests.agents.test_llm_frontier import Retrieval
from tests.fakes.openai_server import Step, fails, says, scripted


def _logprobs(digits, *alternatives):
    rows = [("Price", ()), (" is", ()), (" $", ()), (digits, alternatives)]
    return [
        {"token": text, "logprob": 0.0, "bytes": None, "top_logprobs": [_top(*one) for one in likely]}
        for text, likely in rows
    ]


def _top(text, chance):
    return {"token": text, "logprob": math.log(chance), "bytes": None}


def test_it_asks_as_it_was_trained_and_takes_the_expected_price(connect, ledger):
    def expect(body):
        assert [message["role"] for message in body["messages"]] == ["system", "user"]
        assert body["messages"][1]["content"] == "What does this cost to the nearest dollar?\n\nA kettle"

    likely = _logprobs("120", ("120", 0.5), ("100", 0.5))
    with scripted(Step(says("Price is $120", logprobs=likely), expect)) as server:
        member = TunedFrontierEstimator(Retrieval(), connect(server), ledger)
        (estimate,) = member.estimate(["A kettle"])
        (again,) = member.estimate(["A kettle"])  # from the cache
    assert round(estimate.value, 6) == round(again.value, 6) == 110
    assert estimate.degraded is None
    assert (estimate.low, estimate.high) == (None, None)
    assert len(estimate.similar) == 6


def test_what_is_no_price_or_beyond_belief_is_the_retrieval_estimate(connect, ledger):
    with scripted(says("I cannot say"), says("Price is $9000")) as server:
        one, two = TunedFrontierEstimator(Retrieval(), connect(server), ledger).estimate(["a", "b"])
    assert one.value == two.value == 100
    assert "no usable price" in one.degraded
    assert "far from all comparables" in two.degraded


def test_a_refusal_ends_the_asking_not_the_pricing(connect, ledger):
    with scripted(says("Price is $90"), fails(401, "no")) as server:
        estimates = TunedFrontierEstimator(Retrieval(), connect(server), ledger).estimate(["a", "b", "c", "unknown"])
    assert [estimate.value for estimate in estimates] == [90, 100, 100, None]
    assert "OPENAI_API_KEY" in estimates[2].degraded


def test_the_setting_chooses_it_and_shares_the_budget(tmp_path):
    settings = load_settings(tmp_path, {"OPENAI_API_KEY": "sk-x", "DEALHOUND_FRONTIER_MODEL": "ft:mine"})
    with Hound(settings) as hound:
        assert hound.tuned_chat.model == "ft:mine"
        assert hound.tuned_chat.budget is hound.chat.budget
        assert hound.chat.model == "gpt-4o-mini", "deals are read by the untuned model"
    with Hound(load_settings(tmp_path, {"DEALHOUND_FRONTIER_MODEL": "ft:mine"})) as hound:
        assert hound.tuned_chat is None
