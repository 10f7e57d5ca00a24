"""ONNX Runtime sessions: the one owner of onnxruntime."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

from framework.errors import ArtifactError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


def threads() -> int:
    """Threads for one model: every core that this process may use, at most 8 (small models gain nothing beyond)."""
    return max(1, min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1))


def open_session(content: bytes, path: str) -> InferenceSession:
    """A CPU session on a verified model; ``path`` only names it in errors.

    The memory arena is off: it keeps the largest batch of every shape it ever saw, and our shapes vary.
    Raises ``ArtifactError`` when onnxruntime cannot load the bytes.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise ArtifactError(path, f"onnxruntime cannot load the model: {reason}; restore it or train") from error
    _return_memory()
    return session


def _return_memory() -> None:
    """Give back what parsing the model took: glibc keeps it (150 MiB for the forest) until it is asked."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
