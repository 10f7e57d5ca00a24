"""A small real reverse proxy on loopback: one path of it leads to another server, answers are streamed through."""

from __future__ import annotations

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_HOP = {"connection", "transfer-encoding", "keep-alive"}


class ReverseProxy:
    """Serves ``upstream`` under ``path``; with ``strip`` the upstream does not see that path."""

    def __init__(self, upstream: str, path: str, *, strip: bool = True, proto: str = "http") -> None:
        target = urlsplit(upstream)

        class Forward(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _forward(self) -> None:
                if self.path != path and not self.path.startswith(f"{path}/"):
                    self.send_error(404)
                    return
                length = int(self.headers.get("Content-Length") or 0)
                headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
                headers |= {"X-Forwarded-For": self.client_address[0], "X-Forwarded-Proto": proto}
                connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=60)
                try:
                    inner = self.path.removeprefix(path) or "/" if strip else self.path
                    connection.request(self.command, inner, self.rfile.read(length), headers)
                    self._answer(connection.getresponse())
                finally:
                    connection.close()

            def _answer(self, answer: http.client.HTTPResponse) -> None:
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.close_connection = True
                self.end_headers()
                while piece := answer.read1(65_536):
                    self.wfile.write(piece)
                    self.wfile.flush()

            do_GET = do_POST = do_DELETE = _forward

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Forward)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{path}/"

    def __enter__(self) -> ReverseProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._server.shutdown()
        self._server.server_close()
