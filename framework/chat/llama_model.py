"""A GGUF model loaded with llama-cpp-python, as a generator of text.

It drives the library's token loop itself, because the library's own chat call looks at the clock never and at the whole
reply again for every token. Text that imitates the model's control tokens ("<|im_end|>") is broken up, so that no web
page can end the turn that quotes it.
"""

from __future__ import annotations

import codecs
import time
from collections.abc import Generator, Sequence
from typing import Any

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{% endfor %}{{ '<|im_start|>assistant\\n' }}"
)


class ContextOverflow(ValueError):
    """The prompt leaves no room for a reply."""


class TimeIsUp(Exception):
    """The deadline passed while the model was writing."""


class LlamaModel:
    """One loaded model. Not thread-safe. Raises ``ValueError``, ``OSError`` and the like when it cannot be loaded."""

    def __init__(self, path: str, *, context: int, threads: int) -> None:
        from llama_cpp import Llama
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        probe = Llama(path, vocab_only=True, verbose=False)
        architecture = probe.metadata.get("general.architecture")
        trained = int(probe.metadata.get(f"{architecture}.context_length", context))
        probe.close()
        self._llama: Any = Llama(
            path, n_ctx=min(trained, context), n_threads=threads, n_threads_batch=threads, verbose=False
        )
        model = self._llama._model
        end, begin = (self._llama.token_eos(), self._llama.token_bos())
        self._format = Jinja2ChatFormatter(
            self._llama.metadata.get("tokenizer.chat_template", CHATML),
            eos_token=model.token_get_text(end) if end >= 0 else "",
            bos_token=model.token_get_text(begin) if begin >= 0 else "",
        )
        self._controls = _control_tokens(model)
        self.context = int(self._llama.n_ctx())

    def generate(
        self, messages: Sequence[dict[str, str]], *, most: int, temperature: float, grammar: str | None, ends: float
    ) -> Generator[str, None, tuple[int, int, bool]]:
        """The reply piece by piece; returns tokens in, tokens out and whether the model ended it by itself.

        Raises ``ContextOverflow``, ``TimeIsUp`` at ``ends`` (of ``time.monotonic``), ``ValueError`` for messages that
        the model's chat template refuses.
        """
        from llama_cpp import llama_vocab_is_eog

        prompt = self._prompt(messages)
        room = min(most, self.context - len(prompt))
        if room < 1:
            raise ContextOverflow("the prompt is longer than the context")
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        written = 0
        tokens = self._llama.generate(prompt, temp=temperature, grammar=_compiled(grammar))
        try:
            for token in tokens:
                if llama_vocab_is_eog(self._llama._model.vocab, token):
                    return len(prompt), written, True
                written += 1
                piece = decoder.decode(self._llama.detokenize([token]))
                if piece:
                    yield piece
                if time.monotonic() > ends:
                    raise TimeIsUp
                if written >= room:
                    return len(prompt), written, False
        finally:
            tokens.close()
        return len(prompt), written, True

    def close(self) -> None:
        """Free the memory."""
        self._llama.close()

    def _prompt(self, messages: Sequence[dict[str, str]]) -> list[int]:
        clean = [{**message, "content": self._without_controls(message["content"])} for message in messages]
        formatter: Any = self._format
        text = formatter(messages=clean).prompt
        tokens: list[int] = self._llama.tokenize(text.encode("utf-8", "replace"), add_bos=False, special=True)
        begin = self._llama.token_bos()
        if begin >= 0 and self._llama._model.add_bos_token() and tokens[:1] != [begin]:
            tokens = [begin, *tokens]
        return tokens

    def _without_controls(self, text: str) -> str:
        for control in self._controls:
            if control in text:
                text = text.replace(control, f"{control[0]} {control[1:]}")
        return text


def _compiled(grammar: str | None) -> Any:
    from llama_cpp.llama_grammar import LlamaGrammar

    return LlamaGrammar.from_string(grammar, verbose=False) if grammar else None


def _control_tokens(model: Any) -> list[str]:
    """The texts of the model's control tokens, the longest first."""
    from llama_cpp import llama_vocab_is_control

    texts = {
        model.token_get_text(token) for token in range(model.n_vocab()) if llama_vocab_is_control(model.vocab, token)
    }
    return sorted((text for text in texts if len(text) > 1), key=len, reverse=True)
