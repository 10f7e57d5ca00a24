"""Every error that Dealhound raises on purpose.

::

    DealhoundError
    ├── SettingsError                 unusable settings or arguments: the owner must act (exit status 2)
    ├── FetchError                    a URL could not be fetched (.url, .retry_after)
    │   ├── ForbiddenAddress          scheme or address that outbound requests may not reach
    │   ├── FetchTimeout              connect, read or total deadline passed
    │   ├── TooLarge                  more bytes than the cap, after decompression
    │   ├── TooManyRedirects
    │   ├── HTTPStatusError           the server answered with an error status (.status)
    │   └── ConnectionFailed          name look-up, connection or TLS failed
    ├── FeedError                     bytes that are no feed we can read (.url)
    ├── PageError                     a page that is no product page (.url)
    ├── ReadingError                  an entry that could not be read into a deal (.entry_id)
    ├── ModelError                    models and artifacts
    │   ├── ArtifactError             missing, or its hash does not match its manifest (.path)
    │   ├── CatalogueUnavailable      the catalogue (Chroma) cannot be opened, asked or written (.where)
    │   ├── EstimatorUnavailable      a member cannot answer now (.member)
    │   ├── HubError                  the Hugging Face hub refuses or cannot be reached (.repository)
    │   └── TrainingError             training data or settings that cannot work
    ├── ChatError                     a language model call failed (.model)
    │   ├── ChatUnavailable           network, 5xx, rate limit: try later (.retry_after)
    │   ├── ChatRefused               wrong key, unknown model: trying again is useless
    │   │   ├── ChatDeclined          the model declines this very request; others may work
    │   │   ├── ContextTooSmall       the request has more tokens than the model can take: send less
    │   │   └── FormUnsupported       the server does not know this kind of structured reply: ask for a simpler one
    │   ├── ChatReplyError            the reply is no valid instance of the schema
    │   │   └── ReplyCutOff           it ended at the token limit: ask for less at once
    │   └── BudgetExceeded            the owner's token or money budget is spent
    ├── MemoryStoreError              the database or memory.json
    │   ├── DatabaseUnavailable       cannot be opened, locked for too long, disk full
    │   ├── SnapshotError             memory.json is not what it should be (.path)
    │   └── AlreadyRunning            another daemon holds this state (.pid)
    ├── CurrencyMismatch              amounts of unlike currencies were compared or added
    └── DeliveryError                 a notification was not accepted (.channel)
        ├── DeliveryRejected          the service said no: trying again is useless
        ├── DeliveryDelayed           network, 429, 5xx: try again (.retry_after)
        └── DeliveryUncertain         sent, but the answer was lost: do not repeat blindly

Each carries the ids that name what failed as attributes, and says in one sentence what failed and what to do.
Secrets never go into a message: whoever raises from a foreign exception states the cause in own words.
"""

from __future__ import annotations


class DealhoundError(Exception):
    """Root of the tree. Its text is one sentence for the owner."""


class SettingsError(DealhoundError):
    """Settings or arguments that cannot be used; the sentence names the setting and the fix."""


class CurrencyMismatch(DealhoundError):
    """Amounts in unlike currencies cannot be compared or added."""


class FetchError(DealhoundError):
    """A URL could not be fetched.

    ``retry_after`` is the number of seconds the server asked us to wait, if it did.
    """

    def __init__(self, url: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{message} ({url})")
        self.url = url
        self.retry_after = retry_after


class ForbiddenAddress(FetchError):
    """The scheme or the address is one that outbound requests may not reach."""


class FetchTimeout(FetchError):
    """The connect, read or total deadline passed."""


class TooLarge(FetchError):
    """The body has more bytes than the cap, counted after decompression."""


class TooManyRedirects(FetchError):
    """The redirect cap was reached."""


class HTTPStatusError(FetchError):
    """The server answered with an error status."""

    def __init__(self, url: str, status: int, *, retry_after: float | None = None) -> None:
        super().__init__(url, f"The server answered HTTP {status}", retry_after=retry_after)
        self.status = status


class ConnectionFailed(FetchError):
    """Name look-up, connection or TLS failed."""


class FeedError(DealhoundError):
    """The bytes are no feed that we can read."""

    def __init__(self, url: str, message: str) -> None:
        super().__init__(f"{message} ({url})")
        self.url = url


class PageError(DealhoundError):
    """The page is no page of one product (a listing, an article, a bot wall)."""

    def __init__(self, url: str, message: str) -> None:
        super().__init__(f"{message} ({url})")
        self.url = url


class ReadingError(DealhoundError):
    """An entry could not be read into a deal."""

    def __init__(self, entry_id: str, message: str) -> None:
        super().__init__(f"{message} (entry {entry_id})")
        self.entry_id = entry_id


class ModelError(DealhoundError):
    """A model or an artifact cannot do its work."""


class ArtifactError(ModelError):
    """An artifact is missing, or its hash is not the one in its manifest."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{message} ({path})")
        self.path = path


class CatalogueUnavailable(ModelError):
    """The catalogue (Chroma) cannot be opened, asked or written."""

    def __init__(self, where: str, message: str) -> None:
        super().__init__(f"{message} ({where})")
        self.where = where


class EstimatorUnavailable(ModelError):
    """A member of the ensemble cannot answer now."""

    def __init__(self, member: str, message: str) -> None:
        super().__init__(f"{member}: {message}")
        self.member = member


class HubError(ModelError):
    """The Hugging Face hub refuses or cannot be reached."""

    def __init__(self, repository: str, message: str) -> None:
        super().__init__(f"{message} ({repository} on the hub)")
        self.repository = repository


class TrainingError(ModelError):
    """Training data or settings that cannot work."""


class ChatError(DealhoundError):
    """A call to a language model failed."""

    def __init__(self, model: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{message} (model {model})")
        self.model = model
        self.retry_after = retry_after


class ChatUnavailable(ChatError):
    """Network, 5xx or rate limit: the same call may work later."""


class ChatRefused(ChatError):
    """A wrong key, an unknown model, no quota: the same call will not work."""


class ChatDeclined(ChatRefused):
    """The model, or the server's content filter, declines this very request; others may work."""


class ContextTooSmall(ChatRefused):
    """The request has more tokens than the model can take; a smaller one may work."""


class FormUnsupported(ChatRefused):
    """The server does not know this kind of structured reply; a simpler kind may work."""


class ChatReplyError(ChatError):
    """The reply is no valid instance of the schema."""


class ReplyCutOff(ChatReplyError):
    """The reply ended at the token limit, so it is not whole; asking for less at once may work."""


class BudgetExceeded(ChatError):
    """The owner's token or money budget is spent."""


class MemoryStoreError(DealhoundError):
    """The database or ``memory.json`` cannot be used."""


class DatabaseUnavailable(MemoryStoreError):
    """The database cannot be opened, is locked for too long, or the disk is full."""


class SnapshotError(MemoryStoreError):
    """``memory.json`` is not what it should be."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{message} ({path})")
        self.path = path


class AlreadyRunning(MemoryStoreError):
    """Another daemon holds this state."""

    def __init__(self, pid: int | None, home: str) -> None:
        holder = f"process {pid}" if pid else "another process"
        super().__init__(
            f"Another Dealhound ({holder}) is running on {home}; stop it first, or give this one its own DEALHOUND_HOME"
        )
        self.pid = pid


class DeliveryError(DealhoundError):
    """A notification was not accepted by its channel."""

    def __init__(self, channel: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"{channel}: {message}")
        self.channel = channel
        self.retry_after = retry_after


class DeliveryRejected(DeliveryError):
    """The service said no: sending the same again is useless."""


class DeliveryDelayed(DeliveryError):
    """Network trouble, 429 or 5xx: send again later."""


class DeliveryUncertain(DeliveryError):
    """It was sent but the answer was lost: it may have arrived, so it is not repeated blindly."""
