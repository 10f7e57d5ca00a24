"""What the guided set-up asks for, part by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from agents.setup import probes
from framework.health import Check
from framework.settings import Settings, environment_name

# Beside the keys themselves: an address may carry a password in itself.
_PRIVATE = {"database_url", "chroma_url", "apprise_urls"}


@dataclass(frozen=True)
class Part:
    """Settings that belong together: all are optional, and are tried out together."""

    name: str
    why: str
    asks: tuple[tuple[str, str], ...]  # (setting, question)
    probe: Callable[[Settings], Check]

    @property
    def settings(self) -> tuple[str, ...]:
        """The names of the settings."""
        return tuple(name for name, _ in self.asks)


PARTS = (
    Part(
        "phone",
        "Alerts on your phone through Pushover (pushover.net), or through any service that Apprise knows.",
        (
            ("pushover_user", "Pushover user key"),
            ("pushover_token", "Pushover application token"),
            ("apprise_urls", "Apprise URLs, such as ntfys://my-topic"),
        ),
        probes.phone,
    ),
    Part(
        "language model",
        "A language model reads difficult deals and reasons about prices: OpenAI, a server with its API, a GGUF file.",
        (
            ("openai_api_key", "Key of OpenAI, or of the server named next"),
            ("llm_base_url", "Base URL of another server, such as http://localhost:8080/v1"),
            ("llm_model", "Name of the model, or path of a GGUF file"),
        ),
        probes.language_model,
    ),
    Part(
        "modal",
        "The large specialist runs in your own Modal account (modal.com).",
        (("modal_token_id", "Modal token id"), ("modal_token_secret", "Modal token secret")),
        probes.modal_token,
    ),
    Part(
        "database",
        "Memory is kept in a file. A PostgreSQL server lets several daemons share the work.",
        (("database_url", "URL, such as postgresql+psycopg://dealhound:PASSWORD@localhost/dealhound"),),
        probes.database,
    ),
    Part(
        "catalogue",
        "The catalogue of products is kept in a folder. A Chroma server lets several daemons share it.",
        (("chroma_url", "URL, such as http://localhost:8000"),),
        probes.chroma,
    ),
    Part(
        "dashboard",
        "The dashboard answers on this machine only. Another address needs a password.",
        (("host", "Address to listen on, such as 0.0.0.0"), ("password", "Password")),
        probes.dashboard,
    ),
    Part(
        "hours",
        "Your time zone, and when the phone stays silent.",
        (("timezone", "Time zone, such as Europe/Berlin"), ("quiet_hours", "Quiet hours, such as 22:00-07:00")),
        probes.hours,
    ),
)


def is_private(name: str) -> bool:
    """Whether a setting belongs into ``.env``, and is not shown while it is typed."""
    field = Settings.model_fields.get(name)
    return name in _PRIVATE or (field is not None and "SecretStr" in str(field.annotation))


def split(values: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    """Values for ``.env`` by variable, and for ``dealhound.toml`` by setting."""
    private, plain = {}, {}
    for name, value in values:
        if is_private(name):
            private[environment_name(name)] = value
        else:
            plain[name] = value
    return private, plain
