"""``notify test``, ``doctor``, ``tokens``, ``backup``, ``restore``; and sending an alert again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents import doctor_service
from agents.assemble import Hound
from agents.doctor import examine
from agents.messaging.base import Message, Notifier
from framework.errors import DeliveryError, SettingsError
from framework.health import Check, CheckStatus
from framework.memory.lock import HomeLock

if TYPE_CHECKING:
    from framework.web.access import Access

Row = dict[str, Any]
_TEST = Message(title="Dealhound: test", text="This is a test. Real bargains will look like this.", priority=0)


def notify_test(hound: Hound) -> list[Row]:
    """Send one test message through every channel that is set up, and say what each answered."""
    return [
        {
            "channel": check.name,
            "status": "sent" if check.status is CheckStatus.OK else "failed",
            "detail": check.detail,
        }
        for check in channel_checks(hound)
    ]


def channel_checks(hound: Hound) -> list[Check]:
    """The same as checks, for the dashboard."""
    return [_try(notifier) for notifier in hound.notifiers]


def _try(notifier: Notifier) -> Check:
    try:
        receipt = notifier.send(_TEST)
    except DeliveryError as error:
        fix = "Check the keys and the address of this channel"
        return Check(name=notifier.channel, status=CheckStatus.FAILED, detail=str(error), fix=fix)
    return Check(name=notifier.channel, status=CheckStatus.OK, detail=receipt.detail)


def delivery_log(hound: Hound, limit: int) -> list[Row]:
    """Each attempt to send a message, the newest first."""
    return [delivery.model_dump(mode="json") for delivery in hound.store.deliveries(limit)]


def resend(hound: Hound, opportunity_id: str) -> str:
    """Put an opportunity's alert into the outbox once more, for every channel; what became of it, as a sentence.

    A second press within the same second is the same wish.
    """
    record = hound.store.opportunity(opportunity_id)
    if record is None:
        return "This opportunity is no longer remembered."
    message = hound.composer(record.opportunity).model_dump(mode="json")
    key = f"resend:{opportunity_id}:{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    channels = [notifier.channel for notifier in hound.notifiers]
    for channel in channels:
        hound.store.enqueue(channel, key, message, kind="resend")
    return f"It is sent again by {', '.join(channels)}."


def checks(hound: Hound) -> list[Check]:
    """What is set up, what is degraded and how to fix it."""
    return examine(hound)


def doctor(hound: Hound) -> list[Row]:
    """The same as rows, and the services that are set up, each asked now."""
    asked = doctor_service.services(hound.settings)
    return [check.model_dump(mode="json") for check in (*checks(hound), *asked)]


def backup(hound: Hound, file: Path) -> Row:
    """Save the whole state to a file, also while the daemon runs."""
    from framework.memory.backup import save

    save(hound.store, hound.settings.home, file)
    return {"file": str(file), "bytes": file.stat().st_size}


def restore(hound: Hound, file: Path) -> Row:
    """Put a saved state back. Raises ``AlreadyRunning`` while a daemon holds the state."""
    from framework.memory.backup import load

    with HomeLock(hound.settings.state):
        load(file, hound.settings.home)
    return {"file": str(file)}


def add_token(hound: Hound, name: str) -> Row:
    """Make a token for a program; it is shown this once. Raises ``SettingsError`` where no password is set."""
    return {"name": name, "token": _access(hound).new_token(name)}


def tokens(hound: Hound) -> list[Row]:
    """The names of the tokens."""
    return [{"name": name} for name in _access(hound).token_names()]


def remove_token(hound: Hound, name: str) -> Row:
    """End a token. Raises ``SettingsError`` when there is none of this name."""
    if not _access(hound).end_token(name):
        raise SettingsError(f"There is no token {name!r}; ./dealhound tokens list names them")
    return {"name": name}


def _access(hound: Hound) -> Access:
    from framework.web.access import Access

    password = hound.settings.password
    if password is None:
        raise SettingsError("Without a password everything is open on this machine, to every program: set one first")
    return Access(hound.store, password.get_secret_value(), lambda: datetime.now(UTC))
