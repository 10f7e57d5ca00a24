"""The owner's settings: one typed, validated, immutable object.

Sources, the strongest first: environment variables, ``NAME_FILE`` variables (a file that holds the value, as container
secrets come), ``.env`` and ``dealhound.toml`` in the home folder, defaults. An unknown name or a value that does not
fit is a ``SettingsError`` that names the setting, where it was set and the fix: a misspelt threshold must not be
silently ignored for years. Secrets are ``SecretStr``: they print as stars.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator

from framework.errors import SettingsError
from framework.filters import Filters
from framework.money import Currency

SETTINGS_FILE = "dealhound.toml"
PROJECT = Path(__file__).resolve().parent.parent
_FOREIGN = {
    "openai_api_key": "OPENAI_API_KEY",
    "modal_token_id": "MODAL_TOKEN_ID",
    "modal_token_secret": "MODAL_TOKEN_SECRET",
    "hf_token": "HF_TOKEN",
    "pushover_user": "PUSHOVER_USER",
    "pushover_token": "PUSHOVER_TOKEN",
}
# Names that begin with DEALHOUND_ and are no settings: the test inputs, and the launcher's interpreter.
_NOT_SETTINGS = {"DEALHOUND_SHARED", "DEALHOUND_PYTHON"}


def _words(value: object) -> object:
    """A list may be written as text: items separated by spaces, commas or lines (commas inside URLs are kept)."""
    if not isinstance(value, str):
        return value
    return [item.strip(",") for item in value.replace(", ", " ").split() if item.strip(",")]


def _hosts(value: object) -> object:
    return _words(value.replace(",", " ") if isinstance(value, str) else value)


def _json(value: object) -> object:
    """A table may be written as JSON in an environment variable."""
    return json.loads(value) if isinstance(value, str) else value


def _span(value: object) -> object:
    """``22:00-07:00`` as two times of day."""
    return tuple(part.strip() for part in value.split("-")) if isinstance(value, str) else value


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Hosts = Annotated[tuple[str, ...], BeforeValidator(_hosts)]


class Settings(BaseModel):
    """Every setting with its default. The description of each field is its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, validate_default=True)

    home: Path = Field(PROJECT, description="folder of all state (set by DEALHOUND_HOME only)")

    host: str = Field("127.0.0.1", description="address of the dashboard; any but loopback needs a password")
    port: int = Field(7860, ge=0, le=65535, description="port of the dashboard, API and health")
    password: SecretStr | None = Field(None, description="password of the dashboard")
    root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9_.~-]+)*$",
        description="path of the dashboard behind a reverse proxy, such as /deals",
    )
    trusted_proxies: Hosts = Field(
        ("127.0.0.1",), description="addresses or networks of reverse proxies whose word on the visitor is believed"
    )
    database_url: str | None = Field(None, description="SQLAlchemy URL; default SQLite in the home folder")
    chroma_url: str | None = Field(None, description="URL of a Chroma server; default a folder in the home folder")
    timezone: str = Field("UTC", description="your time zone, such as Europe/Berlin, for times shown and quiet hours")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="least level of log lines")

    interval: int = Field(900, ge=10, le=86_400, description="seconds between hunts")
    feeds: Words = Field((), description="feeds to start with instead of the default ones")
    max_entries: int = Field(200, ge=1, le=10_000, description="most entries handled in one hunt; the rest wait")
    max_pages: int = Field(30, ge=0, le=1_000, description="most deal pages fetched in one hunt")
    filters: Annotated[Filters, BeforeValidator(_json)] = Field(
        Filters(), description="what to hunt: words, prices, merchants, conditions"
    )
    feed_filters: Annotated[dict[str, Filters], BeforeValidator(_json)] = Field(
        {}, description="further filters by feed address"
    )
    allow_hosts: Hosts = Field((), description="private hosts that outbound requests may reach (host or host:port)")
    proxy: str | None = Field(None, description="outbound proxy, such as http://proxy.example:3128")
    contact: str | None = Field(None, description="a URL or address put into the User-Agent, as polite robots do")

    llm: Literal["auto", "openai", "llama_cpp", "none"] = Field("auto", description="which language model reads deals")
    frontier_model: str | None = Field(
        None, description="a model fine-tuned on prices for the frontier member; train frontier writes it"
    )
    llm_base_url: str | None = Field(None, description="base URL of an OpenAI-compatible server")
    llm_model: str | None = Field(None, description="model name, or the path of a GGUF file for llama_cpp")
    openai_api_key: SecretStr | None = Field(None, description="key of OpenAI or of the server at llm_base_url")
    llm_timeout: float = Field(60, gt=0, le=3_600, description="seconds that one call of the language model may take")
    llm_context: int = Field(8_192, ge=512, le=1_000_000, description="most tokens of a local model's context")
    llm_daily_tokens: int | None = Field(1_000_000, ge=0, description="most tokens per day; 0 is none at all")
    llm_hunt_tokens: int | None = Field(100_000, ge=0, description="most tokens per hunt")
    llm_daily_money: float | None = Field(
        1.0, ge=0, description="most US dollars per day, where the model's prices are known"
    )
    llm_price_input: float | None = Field(None, ge=0, description="US dollars per million tokens sent to the model")
    llm_price_output: float | None = Field(None, ge=0, description="US dollars per million tokens that it writes")
    planner: Literal["workflow", "autonomous"] = Field(
        "workflow", description="who leads the hunt: fixed steps, or the language model by tool calls"
    )

    specialist: Literal["bundled", "modal", "llama_cpp"] = Field("bundled", description="which specialist prices")
    modal_token_id: SecretStr | None = Field(None, description="Modal's token id")
    modal_token_secret: SecretStr | None = Field(None, description="Modal's token secret")
    modal_app: str = Field(
        "dealhound-specialist", pattern=r"^[A-Za-z0-9._-]{1,60}$", description="name of the specialist's app on Modal"
    )
    modal_gpu: str = Field("T4", description="the GPU that Modal runs it on")
    modal_base: str = Field("meta-llama/Llama-3.2-3B", description="base model that Modal loads from the hub")
    modal_adapter: str | None = Field(None, description="your fine-tuned adapter on the hub, for Modal to load")
    modal_deadline: float = Field(30, gt=0, le=600, description="seconds that a hunt waits for Modal's prices")
    modal_keep_warm: Annotated[tuple[time, time] | None, BeforeValidator(_span)] = Field(
        None, description="hours in which a container is kept running, such as 08:00-22:00; it costs by the hour"
    )
    specialist_gguf: Path | None = Field(
        None, description="GGUF file for llama_cpp; default the one that specialist export writes"
    )
    hf_token: SecretStr | None = Field(None, description="Hugging Face token, for gated models")

    min_discount_pct: float = Field(25, ge=0, lt=100, description="least true discount, in percent of the worth")
    min_discount: float = Field(5, ge=0, description="least true discount, in US dollars")
    min_probability: float | None = Field(
        None, gt=0, lt=1, description="least probability that a deal has such a discount; default: as evaluated"
    )
    rates: Annotated[dict[Currency, Decimal], BeforeValidator(_json)] = Field(
        {}, description="your own exchange rates, for one euro; they come before those of the European Central Bank"
    )
    max_alerts: int = Field(5, ge=0, le=100, description="most alerts sent to a phone per hunt, the likeliest first")

    quiet_hours: Annotated[tuple[time, time] | None, BeforeValidator(_span)] = Field(
        None, description="when the phone stays silent, such as 22:00-07:00; messages wait, urgent ones pass"
    )
    daily_cap: int | None = Field(None, ge=1, description="most alerts per channel and day; the rest waits")
    cooldown: int = Field(0, ge=0, le=86_400, description="least seconds between two alerts")
    digest_at: time | None = Field(None, description="hour of one daily message that gathers what is not urgent")
    notice_urls: Words = Field((), description="Apprise URLs for notices about the daemon itself; default as alerts")

    public_url: str | None = Field(
        None, description="address at which your phone reaches the dashboard; alerts then carry a link for your word"
    )
    again_pct: float = Field(
        15, ge=1, le=100, description="least drop, in percent of the price you were told, that is told again"
    )
    precision_wish: float | None = Field(
        None, gt=0, lt=1, description="share of alerts you wish to be good; min_probability is then learnt from votes"
    )

    pushover_user: SecretStr | None = Field(None, description="Pushover's user key")
    pushover_token: SecretStr | None = Field(None, description="Pushover's application token")
    pushover_url: str | None = Field(None, description="base URL of a stand-in for Pushover's API")
    pushover_sound: str | None = Field(None, description="sound of alerts, by Pushover's name for it")
    pushover_device: str | None = Field(None, description="only these devices, by name and separated by commas")
    alert_ttl: int = Field(604_800, ge=60, le=31_536_000, description="seconds after which a phone may drop an alert")
    emergency: bool = Field(False, description="near-certain, large bargains ring until acknowledged (Pushover)")
    emergency_retry: int = Field(60, ge=30, le=10_800, description="seconds between two rings")
    emergency_expire: int = Field(3_600, ge=30, le=10_800, description="seconds after which it stops ringing")
    apprise_urls: Words = Field((), description="Apprise URLs of other services, such as ntfy://topic")

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", url):
            raise ValueError("is no web address, such as https://deals.example")
        return url.rstrip("/") if url else url

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        if name not in available_timezones():
            near = difflib.get_close_matches(name, available_timezones(), n=1)
            raise ValueError("is no IANA time zone" + (f"; did you mean {near[0]}?" if near else ""))
        return name

    @property
    def zone(self) -> ZoneInfo:
        """The owner's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def modal_token(self) -> tuple[str, str] | None:
        """Modal's token id and secret, where both are set."""
        if self.modal_token_id is None or self.modal_token_secret is None:
            return None
        return self.modal_token_id.get_secret_value(), self.modal_token_secret.get_secret_value()

    @property
    def user_agent(self) -> str:
        """How outbound requests introduce themselves."""
        return "Dealhound/0.1" + (f" (+{self.contact})" if self.contact else "")

    @property
    def state(self) -> Path:
        """Folder of databases and logs."""
        return self.home / "state"

    @property
    def sqlalchemy_url(self) -> str:
        """The database that is used."""
        return self.database_url or f"sqlite:///{self.state / 'dealhound.db'}"

    @property
    def shares_work(self) -> bool:
        """Whether several daemons may share this database, and with it the work."""
        return not self.sqlalchemy_url.startswith("sqlite")

    def secrets(self) -> list[str]:
        """The plain text of every secret that is set, for the redaction of logs."""
        values = (getattr(self, name) for name in type(self).model_fields)
        keys = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        logins = [password for url in (self.database_url, self.chroma_url, self.proxy) for password in _logins(url)]
        # An Apprise URL carries its service's keys in itself.
        return keys + logins + [url for url in (*self.apprise_urls, *self.notice_urls) if len(url) > 20]


def _logins(url: str | None) -> list[str]:
    """The password in a URL, as it is written there and in plain."""
    try:
        password = urlsplit(url or "").password
    except ValueError:  # no URL: whoever uses it says so
        return []
    return [password, unquote(password)] if password else []


def environment_name(field: str) -> str:
    """The environment variable of a setting: the service's own name for its keys, else ``DEALHOUND_NAME``."""
    return _FOREIGN.get(field, f"DEALHOUND_{field.upper()}")


def load_settings(
    home: Path | None = None, environ: Mapping[str, str] | None = None, *, toml: str | None = None, **overrides: Any
) -> Settings:
    """Read the settings from all sources; ``overrides`` (from the command line) win.

    With ``toml`` that text stands for the content of ``dealhound.toml``: so a change can be tried before it is kept.

    Raises ``SettingsError`` with one sentence per fault: the setting, where it was set, and the fix.
    """
    environ = os.environ if environ is None else environ
    home = Path(home or environ.get("DEALHOUND_HOME") or PROJECT).expanduser().resolve()
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for name, value, source in [
        *_from_toml(home / SETTINGS_FILE, toml),
        *_from_environment(dotenv(home / ".env"), f"{home / '.env'}"),
        *_from_environment(environ, "the environment"),
        *((name, value, "the command line") for name, value in overrides.items() if value is not None),
    ]:
        values[name], origin[name] = value, source
    try:
        return Settings(**{**values, "home": home})
    except ValidationError as error:
        raise SettingsError(_sentences(error, origin)) from None  # the chained text would show a secret's value


def dotenv(path: Path) -> Mapping[str, str]:
    """The variables of a ``.env`` file; none where there is no file."""
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _from_toml(path: Path, content: str | None = None) -> list[tuple[str, Any, str]]:
    if content is None and not path.is_file():
        return []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8") if content is None else content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path} cannot be read as TOML: {error}") from error
    known = set(Settings.model_fields) - {"home"}
    for name in table:
        if name not in known:
            raise SettingsError(f"{path} sets {name!r}, which is no setting{_hint(name, known)}")
    return [(name, value, str(path)) for name, value in table.items()]


def _from_environment(variables: Mapping[str, str], source: str) -> list[tuple[str, Any, str]]:
    """Settings among environment variables. An empty variable counts as not set, as compose files leave them."""
    names = {environment_name(field): field for field in Settings.model_fields}
    files = {f"{name}_FILE": field for name, field in names.items()}
    found: list[tuple[str, Any, str]] = []
    for variable, value in variables.items():
        if not value or variable in _NOT_SETTINGS or variable == "DEALHOUND_HOME":
            continue
        if variable in names:
            found.append((names[variable], value, f"{variable} in {source}"))
        elif variable in files:
            if environment_name(files[variable]) not in variables:  # the plain variable wins
                found.append((files[variable], _read_secret_file(variable, value), f"{variable} in {source}"))
        elif variable.startswith("DEALHOUND_"):
            raise SettingsError(f"{variable} in {source} is no setting{_hint(variable, names)}")
    return found


def _read_secret_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{variable} names {path}, which cannot be read: {error}") from error


def _hint(name: str, known: Mapping[str, str] | set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else "; dealhound.example.toml lists them all"


def _sentences(error: ValidationError, origin: Mapping[str, str]) -> str:
    """One sentence per fault, without the value (it may be a secret)."""
    lines = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0]) if fault["loc"] else "settings"
        message = fault["msg"].removeprefix("Value error, ")
        lines.append(f"Setting {name} (from {origin.get(name, 'the defaults')}): {message}")
    return "\n".join(lines)
