"""Data sets on the Hugging Face hub: what there is, fetching, pushing, pulling.

The client is huggingface_hub, which resumes broken downloads, checks sizes and keeps what it fetched in its own cache
(``HF_HOME``). Its address is ``HF_ENDPOINT``, its token ``HF_TOKEN``; the rest of the project sees ``HubError`` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from framework.errors import HubError


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository. ``version`` changes with its content."""

    path: str
    size: int
    version: str


class Hub:
    """The hub by its data sets. ``endpoint``, ``token`` and ``cache`` are the client's own where they are ``None``."""

    def __init__(self, token: str | None = None, *, endpoint: str | None = None, cache: Path | None = None) -> None:
        self._token, self._endpoint, self._cache = token, endpoint, cache

    def listing(self, repository: str, folder: str) -> list[HubFile] | None:
        """The files right in a folder of a data set, by path; ``None`` where there is no such folder."""
        from huggingface_hub.errors import RemoteEntryNotFoundError

        with _translated(repository):
            try:
                found = list(self._api().list_repo_tree(repository, folder, repo_type="dataset"))
            except RemoteEntryNotFoundError:
                return None
        files = [item for item in found if hasattr(item, "blob_id")]
        return [HubFile(file.path, file.size, file.blob_id) for file in sorted(files, key=lambda file: file.path)]

    def fetch(self, repository: str, path: str, *, kind: str = "dataset") -> Path:
        """A file of a repository (``kind``: dataset or model), from the cache where it is there unchanged."""
        from huggingface_hub import hf_hub_download

        with _translated(repository):
            return Path(
                hf_hub_download(
                    repository,
                    path,
                    repo_type=kind,
                    token=self._token,
                    endpoint=self._endpoint,
                    cache_dir=self._cache,
                )
            )

    def make(self, repository: str, *, private: bool, kind: str = "dataset") -> None:
        """Make a repository (``kind``: dataset or model) if it is not there; one that is there stays as it is."""
        with _translated(repository):
            self._api().create_repo(repository, repo_type=kind, private=private, exist_ok=True)

    def push(
        self,
        folder: Path,
        repository: str,
        names: Sequence[str],
        *,
        private: bool,
        message: str,
        kind: str = "dataset",
    ) -> str:
        """Put files of ``folder`` into a repository, made if it is not there, in one commit; returns its address."""
        self.make(repository, private=private, kind=kind)
        with _translated(repository):
            commit = self._api().upload_folder(
                repo_id=repository,
                repo_type=kind,
                folder_path=folder,
                allow_patterns=list(names),
                commit_message=message,
            )
            return str(commit.repo_url)

    def pull(self, repository: str, folder: Path, names: Sequence[str]) -> None:
        """Fetch those files of a data set that have these names into ``folder``."""
        from huggingface_hub import snapshot_download

        with _translated(repository):
            snapshot_download(
                repository,
                repo_type="dataset",
                local_dir=folder,
                allow_patterns=list(names),
                token=self._token,
                endpoint=self._endpoint,
            )

    def _api(self) -> Any:
        from huggingface_hub import HfApi

        return HfApi(endpoint=self._endpoint, token=self._token)


@contextmanager
def _translated(repository: str) -> Iterator[None]:
    """Raise ``HubError`` for what the client raises. Its own texts hold addresses and request ids, never the token."""
    import httpx2
    from huggingface_hub import errors

    try:
        yield
    except errors.HFValidationError as error:
        raise HubError(repository, "This is no name of a repository, which is OWNER/NAME") from error
    except errors.GatedRepoError as error:
        raise HubError(
            repository, "Its owner lets in only those who asked: ask on its page, then set HF_TOKEN"
        ) from error
    except errors.HfHubHTTPError as error:
        raise HubError(repository, _sentence(error.response.status_code)) from error
    except (errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, httpx2.HTTPError, ConnectionError) as error:
        raise HubError(repository, "The hub cannot be reached; what is fetched stays, so start again later") from error
    except (errors.FileMetadataError, errors.XetDownloadError, OSError, ValueError) as error:
        raise HubError(repository, f"The transfer failed ({type(error).__name__}); start it again") from error


def _sentence(status: int) -> str:
    if status in (401, 403):
        return f"The hub refuses (HTTP {status}): it is private or not there, or HF_TOKEN may not do this"
    if status == 404:
        return "There is no such repository or file"
    if status == 429:
        return "The hub asks to be left alone for a while (HTTP 429); start again later, what is fetched stays"
    return f"The hub failed (HTTP {status}); start again later"
