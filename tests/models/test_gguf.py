"""The merged model as a GGUF file: llama.cpp says what transformers says, and what is no Llama 3 is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from framework.errors import ArtifactError, TrainingError
from models.specialist.llama_cpp import LlamaCppSpecialist
from tests.models.conftest import TEXTS, Tuned

pytest.importorskip("llama_cpp")
pytestmark = [pytest.mark.large, pytest.mark.local, pytest.mark.timeout(400)]


@pytest.mark.parametrize(("kind", "tolerance"), [("f32", 0.01), ("f16", 0.01), ("q8_0", 0.05)])
def test_llama_cpp_says_what_transformers_says(
    tuned: Tuned, pricer: Any, tmp_path: Path, kind: Any, tolerance: float
) -> None:
    from models.train.gguf.export import export_gguf

    export_gguf(tuned.merged, tmp_path / "specialist.gguf", kind)
    specialist = LlamaCppSpecialist(tmp_path / "specialist.gguf", threads=1)
    said = specialist.estimate(TEXTS)
    specialist.close()
    for estimate, belief in zip(said, pricer.beliefs(TEXTS), strict=True):
        assert estimate.value == pytest.approx(belief.value, rel=tolerance)
        assert estimate.low is not None
        assert estimate.low <= belief.greedy <= 999
    assert [path.name for path in tmp_path.iterdir()] == ["specialist.gguf"]


def test_an_empty_description_fails_alone(tuned: Tuned, tmp_path: Path) -> None:
    from models.train.gguf.export import export_gguf

    export_gguf(tuned.merged, tmp_path / "specialist.gguf", "f16")
    specialist = LlamaCppSpecialist(tmp_path / "specialist.gguf", threads=1)
    empty, priced = specialist.estimate(["  ", "red kettle"])
    specialist.close()
    assert (empty.value, empty.failure) == (None, "no text")
    assert priced.value is not None


def test_a_missing_or_broken_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="specialist export --gguf"):
        LlamaCppSpecialist(tmp_path / "none.gguf").estimate(["kettle"])
    (tmp_path / "broken.gguf").write_bytes(b"GGUF\x03" + bytes(100))
    with pytest.raises(ArtifactError, match="cannot be loaded"):
        LlamaCppSpecialist(tmp_path / "broken.gguf").estimate(["kettle"])


def test_a_file_that_cannot_say_prices_in_one_token_is_refused(tmp_path: Path) -> None:
    from tests.fakes.tiny_gguf import make_gguf

    with pytest.raises(ArtifactError, match=r"tiny\.gguf has no single token for the number 10\b"):
        LlamaCppSpecialist(make_gguf(tmp_path / "tiny.gguf")).estimate(["kettle"])


def test_the_frequencies_of_llama_3_are_those_of_transformers() -> None:
    torch = pytest.importorskip("torch")
    from transformers import LlamaConfig
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    from models.train.gguf.convert import frequency_factors

    scaling = {
        "rope_type": "llama3",
        "rope_theta": 500_000.0,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    config = LlamaConfig(hidden_size=2048, num_attention_heads=16, head_dim=128, rope_parameters=scaling)
    theirs, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    plain = 500_000.0 ** (-np.arange(0, 128, 2) / 128)
    np.testing.assert_allclose(plain / frequency_factors(scaling, 128), theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("config.json", {"architectures": ["MistralForCausalLM"]}, "not a LlamaForCausalLM"),
        ("config.json", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1.0}}, "yarn"),
        ("tokenizer.json", {"pre_tokenizer": {"type": "Whitespace"}}, "not that of Llama 3"),
    ],
)
def test_what_is_no_llama_3_is_refused_and_the_way_out_named(
    tuned: Tuned, tmp_path: Path, file: str, change: dict[str, Any], said: str
) -> None:
    from models.train.gguf.convert import convert

    folder = tmp_path / "other"
    shutil.copytree(tuned.merged, folder)
    (folder / file).write_text(json.dumps({**json.loads((folder / file).read_text()), **change}))
    with pytest.raises(TrainingError, match=said) as refused:
        convert(folder, tmp_path / "out.gguf")
    assert "--llama-cpp" in str(refused.value)


def test_the_owners_llama_cpp_converts_where_one_is_given(tuned: Tuned, tmp_path: Path) -> None:
    from models.train.gguf.export import export_gguf

    tree = tmp_path / "llama.cpp"
    tree.mkdir()
    with pytest.raises(TrainingError, match="source tree"):
        export_gguf(tuned.merged, tmp_path / "out.gguf", "f16", llama_cpp=tree)
    script = tree / "convert_hf_to_gguf.py"
    script.write_text("import sys; open(sys.argv[sys.argv.index('--outfile') + 1], 'w').write(' '.join(sys.argv[1:]))")
    export_gguf(tuned.merged, tmp_path / "out.gguf", "f16", llama_cpp=tree)
    assert (tmp_path / "out.gguf").read_text().startswith(str(tuned.merged))
    script.write_text("raise SystemExit(1)")
    with pytest.raises(TrainingError, match="could not convert"):
        export_gguf(tuned.merged, tmp_path / "out.gguf", "f16", llama_cpp=tree)


def test_a_file_that_cannot_be_quantized_is_an_error(tmp_path: Path) -> None:
    from models.train.gguf.quantize import quantize

    (tmp_path / "broken.gguf").write_bytes(b"no model")
    with pytest.raises(TrainingError, match="could not quantize"):
        quantize(tmp_path / "broken.gguf", tmp_path / "out.gguf", "q8_0")
