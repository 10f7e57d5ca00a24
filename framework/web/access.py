"""Who may see the dashboard: a password, sessions by cookie, tokens for programs.

Without a password everything is open, which ``require_password`` allows on loopback only. Sessions and tokens are
random; the memory keeps only their keyed hashes, so a stolen database opens nothing, and a new password ends every
session and token. All comparisons take the same time whatever differs. Wrong passwords are rationed per address and
in all, so that guessing is hopeless and guessers cannot lock the owner's open sessions out.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import Any

from framework.memory.base import Clock
from framework.memory.store import Store

COOKIE = "dealhound_session"
_SESSIONS, _TOKENS = "web.sessions", "web.tokens"
_LASTS = timedelta(days=30)
_MOST_SESSIONS = 100
_WINDOW = timedelta(minutes=15)
_TRIES_EACH, _TRIES_ALL = 5, 50


class Access:
    """Passwords, sessions and tokens of one daemon. Safe to use from several threads."""

    def __init__(self, store: Store, password: str | None, clock: Clock) -> None:
        self._store = store
        self._key = hashlib.sha256((password or "").encode()).digest()
        self.locked = password is not None
        self._clock = clock
        self._tries: dict[str, deque[datetime]] = defaultdict(deque)
        self._lock = threading.Lock()

    def log_in(self, password: str, address: str) -> str | None:
        """A new session's secret for the right password, else ``None``; ask ``wait`` first."""
        given = hashlib.sha256(password.encode()).digest()
        if not hmac.compare_digest(given, self._key):
            with self._lock:
                for name in (address, ""):
                    self._tries[name].append(self._clock())
            return None
        secret = secrets.token_urlsafe(32)
        with self._lock:
            sessions = self._live_sessions()
            newest = dict(sorted(sessions.items(), key=lambda item: item[1])[-(_MOST_SESSIONS - 1) :])
            until = (self._clock() + _LASTS).isoformat()
            self._store.set_state(_SESSIONS, {**newest, self._hash(secret): until})
        return secret

    def wait(self, address: str) -> int:
        """Seconds until another password may be tried from this address; 0: now."""
        with self._lock:
            return max(self._wait(address, _TRIES_EACH), self._wait("", _TRIES_ALL))

    def log_out(self, secret: str) -> None:
        """End one session."""
        with self._lock:
            sessions = self._live_sessions()
            if sessions.pop(self._hash(secret), None) is not None:
                self._store.set_state(_SESSIONS, sessions)

    def knows_session(self, secret: str | None) -> bool:
        """Whether this is the secret of a session that is still open."""
        return bool(secret) and self._among(str(secret), self._live_sessions())

    def new_token(self, name: str) -> str:
        """A token for a program, shown this once; a token of the same name ends."""
        secret = f"dh_{secrets.token_urlsafe(32)}"
        with self._lock:
            tokens = {known: digest for known, digest in self._tokens().items() if known != name}
            self._store.set_state(_TOKENS, {**tokens, name: self._hash(secret)})
        return secret

    def token_names(self) -> list[str]:
        """The names of the tokens, sorted."""
        return sorted(self._tokens())

    def end_token(self, name: str) -> bool:
        """End the token of this name; False when there is none."""
        with self._lock:
            tokens = self._tokens()
            ended = tokens.pop(name, None) is not None
            self._store.set_state(_TOKENS, tokens)
        return ended

    def knows_token(self, secret: str | None) -> bool:
        """Whether this is a token that was made and not ended."""
        return bool(secret) and self._among(str(secret), self._tokens().values())

    def _hash(self, secret: str) -> str:
        return hmac.new(self._key, secret.encode(), hashlib.sha256).hexdigest()

    def _among(self, secret: str, known: Any) -> bool:
        digest = self._hash(secret)
        matches = [hmac.compare_digest(digest, str(other)) for other in known]  # all are compared, always
        return any(matches)

    def _live_sessions(self) -> dict[str, str]:
        now = self._clock().isoformat()
        return {digest: until for digest, until in self._store.get_state(_SESSIONS, {}).items() if until > now}

    def _tokens(self) -> dict[str, str]:
        return dict(self._store.get_state(_TOKENS, {}))

    def _wait(self, name: str, most: int) -> int:
        now, tries = self._clock(), self._tries[name]
        while tries and now - tries[0] >= _WINDOW:
            tries.popleft()
        if not tries:
            del self._tries[name]
        if len(tries) < most:
            return 0
        return int((tries[-most] + _WINDOW - now).total_seconds()) + 1
