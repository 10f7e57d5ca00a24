"""The fine-tuned specialist as a Modal app: a GPU by the second, started when it is called.

    ./dealhound specialist deploy          # or: modal deploy models/modal_app.py

This file is self-contained: in Modal's container there is nothing of Dealhound but it. So the question and the reading
of the answer stand here once more; a test holds them to ``models/data/prompts.py`` and to
``models/specialist/token_prices.py``. Its settings are environment variables, which ``deploy`` fills and the image
carries into the container.
"""

from __future__ import annotations

import os
from typing import Any

import modal

SETTINGS = {
    "SPECIALIST_APP": "dealhound-specialist",  # name of the app, and of the secret with HF_TOKEN
    "SPECIALIST_BASE": "meta-llama/Llama-3.2-3B",  # the base model
    "SPECIALIST_ADAPTER": "",  # the fine-tuned adapter on the hub; none: the base alone
    "SPECIALIST_GPU": "T4",
    "SPECIALIST_MIN_CONTAINERS": "0",  # kept running, and paid for, day and night
    "SPECIALIST_MAX_CONTAINERS": "4",  # side by side, for bulk pricing
    "SPECIALIST_IDLE_SECONDS": "300",  # until an idle container ends
    "SPECIALIST_MAX_TOKENS": "180",  # of a description, as in training
}
SETTINGS |= {name: os.environ[name] for name in SETTINGS if os.environ.get(name)}
CACHE = "/cache"
LARGEST, LIKELIEST, BATCH = 999, 20, 16
QUESTION, ANSWER = "What does this cost to the nearest dollar?", "Price is $"
PLAIN = {"split_special_tokens": True}  # control tokens in a product's text are text: it must not end its own question

app = modal.App(SETTINGS["SPECIALIST_APP"])
image = (
    modal.Image.debian_slim(python_version="3.11")
    .pip_install("torch==2.13.0", "transformers==5.23.0", "peft==0.21.2", "accelerate==1.15.0", "bitsandbytes==0.50.2")
    .env({**SETTINGS, "HF_HOME": CACHE})
)
volume = modal.Volume.from_name(f"{SETTINGS['SPECIALIST_APP']}-cache", create_if_missing=True)
secret = modal.Secret.from_dict({"HF_TOKEN": os.environ.get("HF_TOKEN") or None})


@app.cls(
    image=image,
    gpu=SETTINGS["SPECIALIST_GPU"],
    volumes={CACHE: volume},  # the weights are fetched from the hub once, not at every start
    secrets=[secret],
    timeout=600,
    startup_timeout=1200,
    scaledown_window=int(SETTINGS["SPECIALIST_IDLE_SECONDS"]),
    min_containers=int(SETTINGS["SPECIALIST_MIN_CONTAINERS"]),
    max_containers=int(SETTINGS["SPECIALIST_MAX_CONTAINERS"]),
)
class Specialist:
    """Prices products. A container loads the model once and then answers batch after batch."""

    @modal.enter()
    def load(self) -> None:
        """Load the base in 4 bits (on a CPU, for a rehearsal: in 32) and the adapter on top."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig

        base, adapter = SETTINGS["SPECIALIST_BASE"], SETTINGS["SPECIALIST_ADAPTER"]
        self.tokenizer: Any = AutoTokenizer.from_pretrained(base)
        if self.tokenizer.pad_token_id is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        wishes: dict[str, Any] = {"dtype": torch.float32}
        if torch.cuda.is_available():
            half = torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
            quantization = BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=half,
            )
            wishes = {"dtype": half, "device_map": "auto", "quantization_config": quantization}
        self.model: Any = AutoModelForCausalLM.from_pretrained(base, **wishes)
        if adapter:
            from peft import PeftModel

            self.model = PeftModel.from_pretrained(self.model, adapter)
        self.model.eval()
        self.price_ids = [self._price_token(number) for number in range(1, LARGEST + 1)]

    def _price_token(self, number: int) -> int:
        before, whole = (
            self.tokenizer(text, add_special_tokens=False)["input_ids"] for text in (ANSWER, f"{ANSWER}{number}")
        )
        if whole[:-1] != before:
            raise ValueError(f"{SETTINGS['SPECIALIST_BASE']} has no single token for the number {number}")
        return int(whole[-1])

    @modal.method()
    def warm(self) -> str:
        """Nothing but a reason to start; says which model is ready."""
        return SETTINGS["SPECIALIST_ADAPTER"] or SETTINGS["SPECIALIST_BASE"]

    @modal.method()
    def price(self, texts: list[str]) -> list[dict[str, float]]:
        """What each product is worth in US dollars: ``value``, and an 80% range from ``low`` to ``high``."""
        batches = [texts[start : start + BATCH] for start in range(0, len(texts), BATCH)]
        return [belief for batch in batches for belief in self._beliefs(batch)]

    def _beliefs(self, texts: list[str]) -> list[dict[str, float]]:
        import torch

        prompts = [f"{QUESTION}\n\n{self._clipped(text).strip()}\n\n{ANSWER}" for text in texts]
        inputs = self.tokenizer(prompts, **PLAIN, return_tensors="pt", padding=True, padding_side="left")
        with torch.inference_mode():
            outputs = self.model(**inputs.to(self.model.device), logits_to_keep=1, use_cache=False)
        logits = outputs.logits[:, -1].float().cpu()[:, self.price_ids].double()
        return [_belief(row) for row in torch.softmax(logits, dim=-1)]

    def _clipped(self, text: str) -> str:
        """The description's first tokens, so that the end of the question is never what is cut off."""
        most = int(SETTINGS["SPECIALIST_MAX_TOKENS"])
        spans = self.tokenizer(text, **PLAIN, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        if len(spans) <= most:
            return text
        return text[: min(spans[most - 1][1], spans[most][0])]  # no character of which tokens are cut off


def _belief(weights: Any) -> dict[str, float]:
    """The expected value over the likeliest price tokens, and the middle 80% of all of them."""
    likeliest = weights.topk(LIKELIEST)
    value = float((likeliest.values * (likeliest.indices + 1)).sum() / likeliest.values.sum())
    reached = weights.cumsum(0)
    low, high = (min(int((reached < share).sum()), LARGEST - 1) + 1 for share in (0.1, 0.9))
    return {"value": value, "low": float(low), "high": float(high)}
