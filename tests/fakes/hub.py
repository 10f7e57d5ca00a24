"""A stand-in of the Hugging Face hub on loopback: the endpoints that data sets are listed, fetched and pushed by.

It keeps files by repository and answers as the hub does, large files by Git LFS included. ``refuse`` makes it answer
everything with a status; ``token`` is the one that may write.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34
LARGE = 2_000  # bytes from which it wants a file by LFS


class HubServer:
    """The running server. ``files`` are the contents by repository and path, ``seen`` the requests that came."""

    def __init__(self, files: dict[str, dict[str, bytes]] | None = None) -> None:
        self.files: dict[str, dict[str, bytes]] = files or {}
        self.token = "hf_right"
        self.refuse: int | None = None
        self.seen: list[str] = []
        self.blobs: dict[str, bytes] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        """The endpoint for a client."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def tree(self, repository: str, folder: str) -> list[dict[str, object]] | None:
        """What lies right in a folder."""
        rows: dict[str, dict[str, object]] = {}
        prefix = f"{folder}/" if folder else ""
        for path, content in self.files[repository].items():
            if path.startswith(prefix):
                rest = path.removeprefix(prefix)
                if "/" in rest:
                    inner = prefix + rest.split("/")[0]
                    rows[inner] = {"type": "directory", "path": inner, "size": 0, "oid": "0" * 40}
                else:
                    rows[path] = {"type": "file", "path": path, "size": len(content), "oid": _oid(content)}
        return list(rows.values()) or None

    def commit(self, repository: str, lines: list[dict[str, object]]) -> None:
        """Take in the operations of a commit."""
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                self.files[repository][value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                self.files[repository][value["path"]] = self.blobs[value["oid"]]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer()

            do_HEAD = do_POST = do_PUT = do_GET

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = unquote(urlsplit(self.path).path)
                owner.seen.append(f"{self.command} {path}")
                if owner.refuse:
                    return self._json({"error": "refused"}, owner.refuse)
                if self.command in ("POST", "PUT") and not path.startswith("/lfs/"):
                    if self.headers.get("Authorization") != f"Bearer {owner.token}":
                        return self._json({"error": "Invalid username or password."}, 401)
                    return self._write(path, json.loads(body) if b"\n" not in body.strip() else body)
                if path.startswith("/lfs/"):
                    owner.blobs[path.removeprefix("/lfs/")] = body
                    return self._bytes(b"", {"ETag": '"done"'})
                return self._read(path)

            def _read(self, path: str) -> None:
                if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/tree/[^/]+/?(.*)", path):
                    if found[1] not in owner.files:
                        return self._missing("RepoNotFound")
                    rows = owner.tree(found[1], found[2])
                    return self._missing("EntryNotFound") if rows is None else self._json(rows)
                if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/revision/[^/]+)?", path):
                    if found[1] not in owner.files:
                        return self._missing("RepoNotFound")
                    names = [{"rfilename": name} for name in owner.files[found[1]]]
                    return self._json({"id": found[1], "sha": COMMIT, "private": False, "siblings": names, "tags": []})
                if found := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path):
                    content = owner.files.get(found[1], {}).get(found[2])
                    if content is None:
                        return self._missing("EntryNotFound")
                    return self._bytes(content, {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT})
                return self._missing("EntryNotFound")

            def _write(self, path: str, body: object) -> None:
                if path == "/api/repos/create":
                    name = f"{body.get('organization') or 'me'}/{body['name']}"
                    status = 409 if name in owner.files else 200
                    owner.files.setdefault(name, {})
                    return self._json({"url": f"{owner.url}/datasets/{name}"}, status)
                if path == "/api/validate-yaml":
                    return self._json({"errors": [], "warnings": []})
                if path.endswith("/preupload/main"):
                    modes = [
                        {
                            "path": file["path"],
                            "uploadMode": "lfs" if file["size"] > LARGE else "regular",
                            "shouldIgnore": False,
                        }
                        for file in body["files"]
                    ]
                    return self._json({"files": modes})
                if path.endswith("/info/lfs/objects/batch"):
                    objects = [
                        {**item, "actions": {"upload": {"href": f"{owner.url}/lfs/{item['oid']}"}}}
                        for item in body["objects"]
                    ]
                    return self._json({"transfer": "basic", "objects": objects})
                if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/commit/main", path):
                    lines = body.splitlines() if isinstance(body, bytes) else [json.dumps(body)]
                    owner.commit(found[1], [json.loads(line) for line in lines])
                    url = f"{owner.url}/datasets/{found[1]}/commit/{COMMIT}"
                    return self._json({"success": True, "commitOid": COMMIT, "commitUrl": url, "hookOutput": ""})
                return self._json({"error": f"unknown: {path}"}, 404)

            def _missing(self, code: str) -> None:
                self._json({"error": code}, 404, {"X-Error-Code": code})

            def _json(self, value: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
                self._bytes(json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})}, status)

            def _bytes(self, content: bytes, headers: dict[str, str], status: int = 200) -> None:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def _oid(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@contextmanager
def hub(files: dict[str, dict[str, bytes]] | None = None) -> Iterator[HubServer]:
    """A running stand-in."""
    server = HubServer(files)
    try:
        yield server
    finally:
        server.stop()
