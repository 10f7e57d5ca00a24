"""Does a text speak to a machine that reads it?

Posts about products do not tell their reader to ignore instructions or to call tools. A text that does is kept from the
language model and read by the grammar alone. This catches the blatant; what it misses meets ``agents.grounding``, which
does not depend on it.
"""

from __future__ import annotations

import re

_SIGNS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:instructions?|prompts?|rules|guidelines|directions?)\b"
    r"|\bsystem prompt\b|\bnote to (?:the )?(?:ai|llm|assistant|model)\b"
    r"|(?:^|\n|>|\s)(?:system|assistant|llm|ai) ?: "
    r"|\[/?INST\]|<\|?(?:im_start|im_end|system|assistant|endoftext)"
    r"|\byou are (?:now|going to)\b.{0,60}\b(?:mode|dan|assistant|act|pretend|immerse)\b"
    r"|\b(?:for|attention|dear|hello),? (?:tool-using )?(?:agent|ai|llm|chatgpt|gpt|assistant|language model)s? ?[:,]"
    r"|\bwhen (?:summari[sz]ing|extracting|reading|processing) this\b|\bas an? (?:ai|language model)\b"
    r"|\b(?:send_notification|tool_call|function_call|notify\(|api[_ ]key)\b"
    r"|\bchatgpt with dan\b|\bdo anything now\b|\bcopy it verbatim\b"
    r"|\b(?:just|only) (?:print|say|output|reply|respond)\b|\breply only with\b"
    r"|\b(?:report|set|mark|rank|output) (?:the |this |every )?(?:price|true value|deals?|estimate)\b"
    r".{0,30}\b(?:as|to|first)\b",
    re.IGNORECASE | re.DOTALL,
)


def speaks_to_machines(*texts: str) -> bool:
    """Whether any of the texts gives orders to a model that reads it."""
    return any(_SIGNS.search(text) for text in texts)
