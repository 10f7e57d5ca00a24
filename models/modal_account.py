"""Whether Modal knows a token."""

from __future__ import annotations

from framework.deadline import call_within
from framework.errors import EstimatorUnavailable, SettingsError

_PATIENCE = 15.0  # seconds; Modal's client itself would try for a minute


def check_token(identity: str, secret: str, patience: float = _PATIENCE) -> None:
    """Ask Modal. Raises ``SettingsError`` when it refuses the token, ``EstimatorUnavailable`` when none answers."""
    import modal

    def ask() -> None:
        modal.Client.verify(modal.config.config["server_url"], (identity, secret))

    try:
        call_within(patience, ask, "modal-token")
    except modal.exception.AuthError as error:
        raise SettingsError("Modal does not know this token") from error
    except (modal.exception.Error, TimeoutError, OSError) as error:
        raise EstimatorUnavailable("specialist", f"Modal cannot be asked: {type(error).__name__}") from error
