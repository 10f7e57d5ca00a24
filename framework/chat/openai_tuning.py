"""Fine-tuning at OpenAI, through its SDK: files up, a job started, followed and cancelled.

Nothing that costs money is asked for twice: a job carries a mark of what it was asked for, and one with that mark is
found again after a lost answer. Following survives a lost connection; a job goes on at OpenAI whatever happens here.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from framework.chat.base import Request
from framework.chat.guard import Guard
from framework.chat.openai import OPENAI_URL
from framework.chat.openai_errors import FOREIGN, translate
from framework.chat.openai_http import deadline_client
from framework.errors import ChatRefused, ChatUnavailable

ENDED = frozenset({"succeeded", "failed", "cancelled"})
_MARK = "dealhound"
_SECRET = re.compile(r"\b(sk|org|proj)[-_][\w*.-]{3,}")
_log = structlog.get_logger("dealhound.tuning")


@dataclass(frozen=True, slots=True)
class Job:
    """A fine-tuning job. ``model`` is the result's name once it is there; ``trained_tokens`` are billed."""

    id: str
    status: str
    base: str
    model: str | None = None
    trained_tokens: int | None = None
    problem: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in ENDED


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a job. ``step``, ``steps`` and ``loss`` are set for training metrics."""

    id: str
    at: int
    message: str
    step: int | None = None
    steps: int | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What a job is started with. ``mark`` names the order: a second one with it is the same."""

    base: str
    training_file: str
    mark: str
    validation_file: str | None = None
    epochs: int = 1
    suffix: str | None = None
    wandb: str | None = None
    seed: int = 0


class TuningService(Protocol):
    """Where models are fine-tuned. All methods raise ``ChatRefused`` and ``ChatUnavailable``."""

    def upload(self, path: Path) -> str:
        """Send a file; returns its id."""
        ...

    def find(self, mark: str) -> Job | None:
        """The latest job with this mark that did not fail, if there is one."""
        ...

    def start(self, order: Order) -> Job:
        """Start a job."""
        ...

    def job(self, identity: str) -> Job:
        """A job as it is now."""
        ...

    def cancel(self, identity: str) -> Job:
        """Stop a job; what it trained so far may be billed."""
        ...

    def follow(self, identity: str) -> Iterator[Event | Job]:
        """The job's events, old ones first, as they come; at last the ended job."""
        ...


class OpenAITuning:
    """Keeps the ``TuningService`` contract.

    ``every`` is the pause in seconds between two looks at a job, ``timeout`` the seconds that one call may take; an
    upload may take ten times as long.
    """

    def __init__(
        self,
        api_key: str,
        *,
        base_url: str | None = None,
        timeout: float = 60.0,
        proxy: str | None = None,
        every: float = 5.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._key, self._url, self._timeout, self._proxy = api_key, base_url or OPENAI_URL, timeout, proxy
        self._every, self._sleep = every, sleep
        # A server that is away for some minutes is no reason to give up on a job that takes an hour.
        self._guard = Guard("fine-tuning", attempts=8, limit=9, patience=120.0, sleep=sleep)

    def upload(self, path: Path) -> str:
        """See ``TuningService``."""
        return str(self._guard.call(lambda: self._uploaded(path)))

    def find(self, mark: str) -> Job | None:
        """See ``TuningService``."""
        jobs = self._guard.call(lambda: self._ask(lambda client: client.fine_tuning.jobs.list(limit=50).data))
        found = (job for job in jobs if (job.metadata or {}).get(_MARK) == mark)
        return next((job for job in map(_job, found) if job.status not in ("failed", "cancelled")), None)

    def start(self, order: Order) -> Job:
        """See ``TuningService``. Not tried again by itself: the answer may be lost and the job there."""
        wishes: dict[str, Any] = {
            "model": order.base,
            "training_file": order.training_file,
            "validation_file": order.validation_file,
            "suffix": order.suffix,
            "seed": order.seed,
            "metadata": {_MARK: order.mark},
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": order.epochs}}},
        }
        if order.wandb:
            wishes["integrations"] = [{"type": "wandb", "wandb": {"project": order.wandb}}]
        given = {name: value for name, value in wishes.items() if value is not None}
        return _job(self._ask(lambda client: client.fine_tuning.jobs.create(**given)))

    def job(self, identity: str) -> Job:
        """See ``TuningService``."""
        return _job(self._guard.call(lambda: self._ask(lambda client: client.fine_tuning.jobs.retrieve(identity))))

    def cancel(self, identity: str) -> Job:
        """See ``TuningService``."""
        return _job(self._guard.call(lambda: self._ask(lambda client: client.fine_tuning.jobs.cancel(identity))))

    def follow(self, identity: str) -> Iterator[Event | Job]:
        """See ``TuningService``. Raises ``ChatUnavailable`` when the server stays away for minutes."""
        seen: set[str] = set()
        while True:
            job = self.job(identity)  # asked before the events: none of an ended job comes later
            for event in self._events(identity, seen):
                seen.add(event.id)
                yield event
            if job.ended:
                yield job
                return
            self._sleep(self._every)

    def _events(self, identity: str, seen: set[str]) -> list[Event]:
        """The events not yet seen, in order. The server lists the newest first, some to a page."""

        def new(client: Any) -> list[Event]:
            found: list[Event] = []
            for event in client.fine_tuning.jobs.list_events(identity, limit=100):
                if event.id in seen:
                    break
                found.append(_event(event))
            return found[::-1]

        events: list[Event] = self._guard.call(lambda: self._ask(new))
        return events

    def _uploaded(self, path: Path) -> Any:
        with path.open("rb") as file:
            return self._ask(
                lambda client: client.files.create(file=(path.name, file), purpose="fine-tune").id,
                timeout=10 * self._timeout,
            )

    def _ask(self, action: Callable[[Any], Any], timeout: float | None = None) -> Any:
        from openai import OpenAI

        http = deadline_client(timeout or self._timeout, self._proxy)
        with (
            _translated(),
            OpenAI(
                api_key=self._key, organization="", project="", base_url=self._url, max_retries=0, http_client=http
            ) as client,
        ):
            return action(client)


@contextmanager
def _translated() -> Iterator[None]:
    """Raise our errors for the SDK's. What the server says is quoted, without anything that looks like a key."""
    import openai

    try:
        yield
    except openai.APIStatusError as error:
        ours = translate("fine-tuning", error, Request((), 0))
        if error.status_code in (400, 404, 409, 413, 415, 422):
            raise ChatRefused("fine-tuning", f"The server refuses: {_said(error)}") from None
        raise ours from None
    except openai.APITimeoutError:
        raise ChatUnavailable("fine-tuning", "The server did not answer in time (setting llm_timeout)") from None
    except FOREIGN as error:
        raise translate("fine-tuning", error, Request((), 0)) from None


def _said(error: Any) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return _SECRET.sub("(key)", str(message or f"HTTP {error.status_code}"))[:300]


def _job(job: Any) -> Job:
    told = job.error.message if job.error else None
    return Job(
        id=job.id,
        status=job.status,
        base=job.model,
        model=job.fine_tuned_model,
        trained_tokens=job.trained_tokens,
        problem=_SECRET.sub("(key)", told)[:300] if told else None,
    )


def _event(event: Any) -> Event:
    data = event.data if isinstance(event.data, dict) else {}
    return Event(
        id=event.id,
        at=event.created_at,
        message=_SECRET.sub("(key)", event.message)[:300],
        step=data.get("step"),
        steps=data.get("total_steps"),
        loss=data.get("train_loss"),
    )
