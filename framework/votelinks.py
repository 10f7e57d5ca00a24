"""Signed links with which the owner says from the phone what an alert was worth.

A link holds an opportunity's id and a keyed hash of it (HMAC, RFC 2104), so that nobody can make one up; it opens one
page about one opportunity and nothing else. The key is made once and lies in the state folder, readable by its owner
only; removing the file makes all earlier links void.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import tempfile
from pathlib import Path

PATH = "/vote"
_BYTES = 16  # of the hash: 128 bits cannot be guessed


class VoteLinks:
    """Makes and checks the links. ``public_url`` is the address under which a phone reaches the dashboard."""

    def __init__(self, key: bytes, public_url: str | None = None) -> None:
        self._key, self._public_url = key, public_url

    def url(self, opportunity_id: str) -> str | None:
        """The link to the page of an opportunity, ``None`` while no public address is set."""
        if self._public_url is None:
            return None
        return f"{self._public_url}{PATH}/{opportunity_id}/{self.signature(opportunity_id)}"

    def signature(self, opportunity_id: str) -> str:
        """The keyed hash of an id, as it stands in the link."""
        digest = hmac.new(self._key, f"vote\0{opportunity_id}".encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:_BYTES]).rstrip(b"=").decode()

    def genuine(self, opportunity_id: str, signature: str) -> bool:
        """Whether the link is one of ours; takes the same time whatever differs."""
        return hmac.compare_digest(self.signature(opportunity_id).encode(), signature.encode("utf-8", "replace"))


def key_in(folder: Path) -> bytes:
    """The key in ``folder``, made at the first call. Two processes that make it at once agree on one."""
    path = folder / "vote.key"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        pass
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=".vote-", dir=folder)  # readable by its owner only
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was quicker: its key counts
    finally:
        Path(draft).unlink(missing_ok=True)
    return path.read_bytes()
