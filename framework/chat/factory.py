"""Which language model the settings mean, and the chat with it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Literal

from framework.chat.base import Backend
from framework.chat.budget import Budget, Limits, UsageLedger
from framework.chat.client import Chat
from framework.errors import SettingsError
from framework.settings import Settings

DEFAULT_MODEL = "gpt-4o-mini"
# US dollars per million tokens in and out, as OpenAI listed them when this was written; the settings overrule.
_KNOWN_PRICES = {DEFAULT_MODEL: (Decimal("0.15"), Decimal("0.60"))}


def chosen(settings: Settings) -> Literal["openai", "llama_cpp", "none"]:
    """What ``llm = "auto"`` comes to: OpenAI's API with a key or a base URL, llama.cpp with a GGUF, else none."""
    if settings.llm != "auto":
        return settings.llm
    if settings.openai_api_key or settings.llm_base_url:
        return "openai"
    return "llama_cpp" if _is_gguf(settings.llm_model) else "none"


def build_chat(settings: Settings, ledger: UsageLedger) -> Chat | None:
    """The chat that the settings ask for, ``None`` without a language model. Nothing is called or loaded yet.

    Raises ``SettingsError`` when the settings contradict each other.
    """
    if chosen(settings) == "none":
        return None
    return Chat(build_backend(settings), Budget(ledger, limits_of(settings), zone=settings.zone))


def build_backend(settings: Settings) -> Backend:
    """The model that the settings name, without budget and guard. Raises ``SettingsError``; see ``build_chat``."""
    return _llama_cpp(settings) if chosen(settings) == "llama_cpp" else _openai(settings)


def limits_of(settings: Settings) -> Limits:
    """The owner's budget. Prices are known for the default model at OpenAI only, where the settings name none."""
    at_openai = chosen(settings) == "openai" and settings.llm_base_url is None
    known = _KNOWN_PRICES.get(settings.llm_model or DEFAULT_MODEL) if at_openai else None
    if chosen(settings) == "llama_cpp":
        known = (Decimal(0), Decimal(0))
    return Limits(
        daily_tokens=settings.llm_daily_tokens,
        daily_money=_decimal(settings.llm_daily_money),
        hunt_tokens=settings.llm_hunt_tokens,
        price_input=_decimal(settings.llm_price_input, known and known[0]),
        price_output=_decimal(settings.llm_price_output, known and known[1]),
    )


def _openai(settings: Settings) -> Backend:
    from framework.chat.openai import OpenAIBackend

    key = settings.openai_api_key
    if key is None and settings.llm_base_url is None:
        raise SettingsError('llm = "openai" needs OPENAI_API_KEY, or llm_base_url for a server without keys')
    return OpenAIBackend(
        settings.llm_model or DEFAULT_MODEL,
        base_url=settings.llm_base_url,
        api_key=key.get_secret_value() if key else None,
        timeout=settings.llm_timeout,
        proxy=settings.proxy,
    )


def _llama_cpp(settings: Settings) -> Backend:
    from framework.chat.llama_cpp import LlamaCppBackend

    if not _is_gguf(settings.llm_model):
        raise SettingsError('llm = "llama_cpp" needs llm_model: the path of a GGUF file, or owner/repository:file.gguf')
    assert settings.llm_model is not None  # noqa: S101 - a GGUF has a name
    path = settings.llm_model
    if ":" not in path and not Path(path).expanduser().is_absolute():
        path = str(settings.home / path)
    return LlamaCppBackend(path, timeout=settings.llm_timeout, context=settings.llm_context)


def _is_gguf(model: str | None) -> bool:
    return model is not None and model.lower().endswith(".gguf")


def _decimal(value: float | None, default: Decimal | None = None) -> Decimal | None:
    return default if value is None else Decimal(str(value))
