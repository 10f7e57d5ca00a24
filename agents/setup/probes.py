"""Tries out what the settings name: a small real call to each service, and what it answered.

A probe says ok, failed (the service said no, or the setting cannot be), or degraded (nobody could be asked).
"""

from __future__ import annotations

from contextlib import closing

from framework.errors import (
    CatalogueUnavailable,
    ChatError,
    ChatUnavailable,
    DatabaseUnavailable,
    DeliveryError,
    DeliveryRejected,
    EstimatorUnavailable,
    SettingsError,
)
from framework.health import Check, degraded, failed, ok
from framework.settings import Settings

_LATER = "Check the network; ./dealhound doctor asks again"


def phone(settings: Settings) -> Check:
    """Pushover is asked whether it knows user and application; other services can only be tried by a message."""
    from agents.messaging.pushover import PushoverNotifier

    said: list[str] = []
    user, token = settings.pushover_user, settings.pushover_token
    if bool(user) != bool(token):
        return failed("phone", "Pushover needs both, the user key and the application token", "Give the other one too")
    try:
        if user and token:
            PushoverNotifier(
                user=user.get_secret_value(), token=token.get_secret_value(), base_url=settings.pushover_url
            ).validate()
            said.append("Pushover knows user and application")
        if settings.apprise_urls:
            from agents.messaging.apprise import AppriseNotifier

            names = ", ".join(AppriseNotifier(url).channel for url in settings.apprise_urls)
            said.append(f"{names}: untried until ./dealhound notify test")
    except (SettingsError, DeliveryRejected) as error:
        return failed("phone", str(error), "Copy the keys again")
    except DeliveryError as error:
        return _untried("phone", str(error))
    return ok("phone", "; ".join(said) or "console and dashboard only")


def language_model(settings: Settings) -> Check:
    """The model is asked for one word; a GGUF file is looked at, not loaded."""
    from framework.chat.base import Message, Request
    from framework.chat.factory import build_backend, chosen

    kind = chosen(settings)
    if kind == "none":
        return ok("language model", "none: deals are read by grammar and page markup")
    try:
        with closing(
            build_backend(settings.model_copy(update={"llm_timeout": min(settings.llm_timeout, 30.0)}))
        ) as model:
            if kind == "llama_cpp":
                return ok("language model", f"{model.model} runs in this process when it is first needed")
            model.send(Request([Message("user", "Answer with the one word: yes")], max_tokens=16))
    except ChatUnavailable as error:
        return _untried("language model", str(error))
    except (ChatError, SettingsError) as error:
        return failed("language model", str(error), "Check key, base URL and the model's name")
    return ok("language model", f"{model.model} answers")


def modal_token(settings: Settings) -> Check:
    """Modal is asked whether it knows the token."""
    from models.modal_account import check_token

    identity, secret = settings.modal_token_id, settings.modal_token_secret
    if not identity and not secret:
        return ok("modal", "not used")
    if not identity or not secret:
        return failed("modal", "Modal needs both, token id and token secret", "Give the other one too")
    try:
        check_token(identity.get_secret_value(), secret.get_secret_value())
    except SettingsError as error:
        return failed("modal", str(error), "Make a new token: modal token new")
    except EstimatorUnavailable as error:
        return _untried("modal", str(error))
    return ok("modal", "Modal knows the token")


def database(settings: Settings) -> Check:
    """The database server is connected to; nothing is written."""
    from framework.memory.database import Database

    if settings.database_url is None:
        return ok("database", "SQLite, in the state folder")
    try:
        connected = Database.open(settings.database_url)
        try:
            with connected.read():
                pass
        finally:
            connected.close()
    except (DatabaseUnavailable, SettingsError) as error:
        return failed("database", str(error), "Check address, name, user and password; is the server running?")
    return ok("database", f"{connected.engine.dialect.name} answers")


def chroma(settings: Settings) -> Check:
    """The Chroma server is asked for its version."""
    from models.catalogue import Catalogue
    from models.encoder import Encoder

    if settings.chroma_url is None:
        return ok("catalogue", "a folder in the state folder")
    try:
        return ok("catalogue", f"Chroma {Catalogue(Encoder(), url=settings.chroma_url).version()} answers")
    except CatalogueUnavailable as error:
        return failed("catalogue", str(error), "Check the address; is the server running? chroma run --path FOLDER")


def dashboard(settings: Settings) -> Check:
    """An address that others can reach needs a password."""
    from framework.web.app import require_password

    try:
        require_password(settings)
    except SettingsError as error:
        return failed("dashboard", str(error), "Set a password")
    password = "a password" if settings.password else "no password, and this machine only"
    return ok("dashboard", f"http://{settings.host}:{settings.port}, {password}")


def hours(settings: Settings) -> Check:
    """What the settings came to; whether they can be was looked at when they were read."""
    quiet = settings.quiet_hours
    said = f"silent from {quiet[0]:%H:%M} to {quiet[1]:%H:%M}" if quiet else "no quiet hours"
    return ok("hours", f"{settings.timezone}, {said}")


def _untried(name: str, detail: str) -> Check:
    return degraded(name, detail, _LATER)
