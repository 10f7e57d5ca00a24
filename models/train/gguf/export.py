"""A merged model folder as one GGUF file, in the wanted size."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from framework.errors import TrainingError
from models.train.gguf.convert import convert
from models.train.gguf.quantize import QUANTIZED, Quantization, quantize

SCRIPT = "convert_hf_to_gguf.py"


def export_gguf(merged: Path, out: Path, kind: Quantization, *, llama_cpp: Path | None = None) -> None:
    """Convert and quantize. ``llama_cpp`` is a source tree of llama.cpp, whose own converter is used then.

    The file appears whole or not at all. Raises ``TrainingError`` when it cannot be made.
    """
    floats = "f32" if kind == "f32" else "f16"
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".gguf-") as work:
        plain = Path(work) / f"{floats}.gguf"
        if llama_cpp is None:
            convert(merged, plain, kind="f32" if kind == "f32" else "f16")
        else:
            _convert_by_script(llama_cpp / SCRIPT, merged, plain, floats)
        done = plain
        if kind in QUANTIZED:
            done = Path(work) / f"{kind}.gguf"
            quantize(plain, done, kind)
        done.replace(out)


def _convert_by_script(script: Path, merged: Path, out: Path, kind: str) -> None:
    if not script.is_file():
        raise TrainingError(f"There is no {script}; --llama-cpp names a source tree of llama.cpp")
    command = [sys.executable, str(script), str(merged), "--outfile", str(out), "--outtype", kind]
    if subprocess.call(command, stdout=sys.stderr) != 0:  # noqa: S603 - the owner's own llama.cpp
        raise TrainingError(f"{script} could not convert the model (its own words are above)")
