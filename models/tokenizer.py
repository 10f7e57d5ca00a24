"""One WordPiece tokenization per text, shared by the encoder and the specialist.

The vocabulary is MiniLM's (``artifacts/tokenizer.json``, lower case, 30,522 pieces). A small cache of the latest
texts makes the second model's request free: both ask for the same texts within one hunt.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from framework.errors import ArtifactError

ARTIFACTS = Path(__file__).parent / "artifacts"
MAX_TOKENS = 96  # title and first facts; the specialist's hashed features read the rest
# No token is shorter than a character, and few products need more than this to fill MAX_TOKENS; a text of a megabyte
# is cut here before the tokenizer sees it.
MAX_CHARACTERS = 4_000

Ids = npt.NDArray[np.int64]


class Tokenizer:
    """Turns texts into WordPiece ids, ``[CLS]`` and ``[SEP]`` included. Safe to call from several threads.

    Raises ``ArtifactError`` at construction when the vocabulary is missing or unreadable.
    """

    def __init__(
        self, path: Path = ARTIFACTS / "tokenizer.json", *, max_tokens: int = MAX_TOKENS, cache_size: int = 4_096
    ) -> None:
        self.max_tokens = max_tokens
        self._tokenizer = load_tokenizer(path)
        self._tokenizer.enable_truncation(max_tokens)
        self._tokenizer.no_padding()
        self._cache: OrderedDict[str, Ids] = OrderedDict()
        self._cache_size = cache_size
        self._lock = threading.Lock()

    @property
    def vocabulary_size(self) -> int:
        """Number of word pieces, special ones included."""
        return int(self._tokenizer.get_vocab_size())

    def encode_batch(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each text, at most ``max_tokens`` long, in order; an empty text gives the two special tokens.

        The arrays are shared with the cache and read-only.
        """
        cut = [text[:MAX_CHARACTERS] for text in texts]
        with self._lock:
            known = {text: self._cache[text] for text in cut if text in self._cache}
        new = [text for text in dict.fromkeys(cut) if text not in known]
        fresh = dict(zip(new, self._encode(new), strict=True))
        with self._lock:
            self._remember(fresh)
        return [known[text] if text in known else fresh[text] for text in cut]

    def _encode(self, texts: list[str]) -> list[Ids]:
        # A lone surrogate cannot be passed on as UTF-8; it becomes a question mark.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        rows = [np.array(encoding.ids, dtype=np.int64) for encoding in self._tokenizer.encode_batch(clean)]
        for row in rows:
            row.setflags(write=False)
        return rows

    def _remember(self, fresh: dict[str, Ids]) -> None:
        self._cache.update(fresh)
        while len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)


def load_tokenizer(path: Path) -> Any:
    """The tokenizer of the tokenizers library in a ``tokenizer.json``.

    Raises ``ArtifactError`` when the file is missing or damaged.
    """
    import tokenizers

    try:
        return tokenizers.Tokenizer.from_str(path.read_text("utf-8"))
    except OSError as error:
        raise ArtifactError(str(path), f"The tokenizer's vocabulary cannot be read ({error.strerror})") from error
    except Exception as error:  # the library raises plain Exception for a file it cannot parse
        raise ArtifactError(str(path), "The tokenizer's vocabulary is damaged; restore it from the release") from error


@cache
def shared_tokenizer() -> Tokenizer:
    """The process's one tokenizer of the shipped vocabulary, so that its cache serves every model."""
    return Tokenizer()
