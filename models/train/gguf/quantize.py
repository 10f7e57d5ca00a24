"""Makes a GGUF file smaller with llama.cpp's own quantizer, as llama-cpp-python binds it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from framework.errors import TrainingError

Quantization = Literal["f32", "f16", "q8_0", "q5_k_m", "q4_k_m"]
QUANTIZED = ("q8_0", "q5_k_m", "q4_k_m")  # what the quantizer makes; the floats come from the conversion


def quantize(source: Path, out: Path, kind: Quantization) -> None:
    """Write ``source`` to ``out`` in the given kind (``q4_k_m`` is a good balance of size and error).

    Raises ``TrainingError`` when llama.cpp cannot do it.
    """
    import llama_cpp
    from llama_cpp._logger import set_verbose

    set_verbose(False)  # else it lists every tensor on stderr
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.ftype = getattr(llama_cpp, f"LLAMA_FTYPE_MOSTLY_{kind.upper()}")
    status = llama_cpp.llama_model_quantize(str(source).encode(), str(out).encode(), parameters)
    if status != 0:
        raise TrainingError(f"llama.cpp could not quantize {source} to {kind} (status {status}); is the disk full?")
