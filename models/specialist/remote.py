"""The specialist on Modal: calls the app of ``models/modal_app.py``, and says in plain words why it cannot."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from framework.deals import MemberEstimate
from framework.errors import EstimatorUnavailable

_log = structlog.get_logger(__name__)

CHUNK = 32  # descriptions to a call; more go to several containers side by side
CLASS = "Specialist"


class _Price(BaseModel):
    value: float = Field(gt=0, allow_inf_nan=False)
    low: float = Field(gt=0, allow_inf_nan=False)
    high: float = Field(gt=0, allow_inf_nan=False)


_REPLY = TypeAdapter(list[_Price])


class ModalSpecialist:
    """Prices products on Modal.

    ``connect`` gives the deployed class's object. Every call may take as long as a container takes to start: who calls
    sets the deadline. Raises ``EstimatorUnavailable`` for whatever goes wrong there.
    """

    name = "specialist"

    def __init__(self, connect: Callable[[], Any]) -> None:
        self._connect = connect
        self._remote: Any = None
        self._lock = threading.Lock()

    def estimate(self, descriptions: Sequence[str]) -> list[MemberEstimate]:
        """Today's worth of each description in US dollars with an 80% range; one without any text fails."""
        rows = [index for index, text in enumerate(descriptions) if text.strip()]
        estimates = [MemberEstimate(member=self.name, failure="no text")] * len(descriptions)
        chunks = [rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK)]
        replies = self._ask([[descriptions[index] for index in chunk] for chunk in chunks]) if chunks else []
        for chunk, reply in zip(chunks, replies, strict=True):
            for index, estimate in zip(chunk, self._read(reply, len(chunk)), strict=True):
                estimates[index] = estimate
        return estimates

    def _ask(self, chunks: list[list[str]]) -> list[Any]:
        """A reply per chunk. Of many chunks some may fail, and stand as what they raised; all failing is a failure."""
        with _in_plain_words(self.name):
            price = self._object().price
            if len(chunks) == 1:
                return [price.remote(chunks[0])]
            replies = list(price.map(chunks, return_exceptions=True))
            if all(isinstance(reply, Exception) for reply in replies):
                raise replies[0]
            return replies

    def _read(self, reply: Any, count: int) -> list[MemberEstimate]:
        if isinstance(reply, Exception):
            return [MemberEstimate(member=self.name, failure=_reason(reply))] * count
        try:
            prices = _REPLY.validate_python(reply)
        except ValidationError as error:
            raise EstimatorUnavailable(self.name, _WRONG_REPLY) from error
        if len(prices) != count:
            raise EstimatorUnavailable(self.name, _WRONG_REPLY)
        return [MemberEstimate(member=self.name, value=said.value, low=said.low, high=said.high) for said in prices]

    def warm_up(self) -> None:
        """Ask for a container without waiting for it. Raises ``EstimatorUnavailable``."""
        with _in_plain_words(self.name):
            self._object().warm.spawn()

    def keep_warm(self, containers: int) -> None:
        """Keep so many containers running from now on, called or not. Raises ``EstimatorUnavailable``."""
        with _in_plain_words(self.name):
            self._object().update_autoscaler(min_containers=containers)
        _log.info("keep_warm", containers=containers)

    def _object(self) -> Any:
        with self._lock:
            if self._remote is None:
                self._remote = self._connect()
            return self._remote


_WRONG_REPLY = "Modal's reply is not what models/modal_app.py gives; run ./dealhound specialist deploy again"


def modal_connection(app: str, token: tuple[str, str] | None) -> Callable[[], Any]:
    """How to reach the deployed app, by the owner's token, else by what ``modal token set`` stored."""

    def connect() -> Any:
        import modal

        client = modal.Client.from_credentials(*token) if token else None
        return modal.Cls.from_name(app, CLASS, client=client)()

    return connect


@contextmanager
def _in_plain_words(member: str) -> Iterator[None]:
    """Whatever Modal raises as ``EstimatorUnavailable``."""
    try:
        yield
    except Exception as error:  # what the code in the container raised comes through as it was: it can be anything
        raise EstimatorUnavailable(member, _reason(error)) from error


def _reason(error: Exception) -> str:
    """What went wrong and what to do, without the service's own text (it may quote what was sent)."""
    from modal import exception

    reasons: list[tuple[type[Exception], str]] = [
        (exception.AuthError, "Modal does not know the token; check MODAL_TOKEN_ID and MODAL_TOKEN_SECRET"),
        (exception.NotFoundError, "Modal has no such app; run ./dealhound specialist deploy"),
        (
            exception.ResourceExhaustedError,
            "Modal refuses: out of credit, or a limit is reached; see the usage page of your workspace on modal.com",
        ),
        (exception.PermissionDeniedError, "Modal refuses: this token may not call the app"),
        (exception.TimeoutError, "Modal did not answer in time"),
        (exception.ConnectionError, "Modal cannot be reached; check the network"),
        (exception.ServiceError, "Modal is in trouble; see status.modal.com"),
    ]
    for kind, reason in reasons:
        if isinstance(error, kind):
            return reason
    return f"the app on Modal failed ({type(error).__name__}); see its log on modal.com"
