"""Attacks on the HTTP client, each against real servers on loopback.

``inside`` is a server on a private address that nobody named: whatever is tried, it must not see a request. ``outside``
is the attacker's server; the client may reach it, as it may reach any public one.
"""

from __future__ import annotations

import gzip
import itertools
import socket
import time
import zlib
from collections.abc import Callable, Iterator

import pytest

from framework.errors import (
    ConnectionFailed,
    FetchError,
    FetchTimeout,
    ForbiddenAddress,
    TooLarge,
    TooManyRedirects,
)
from framework.http import HttpClient
from tests.fakes.web import LoopbackWeb, RawServer, Reply, chunks

PUBLIC = "93.184.215.14"
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def inside() -> Iterator[LoopbackWeb]:
    with LoopbackWeb() as web:
        web.add("*", b"secret")
        yield web
        assert web.requests == []


@pytest.fixture
def outside() -> Iterator[LoopbackWeb]:
    with LoopbackWeb() as web:
        yield web


def client(*servers: LoopbackWeb | RawServer, **settings: object) -> HttpClient:
    hosts = frozenset().union(*(server.hosts for server in servers))
    limits = {"connect_timeout": 0.5, "read_timeout": 0.4, "total_timeout": 0.8, "max_bytes": 100_000}
    return HttpClient(allow_hosts=hosts, gap=0, **{**limits, **settings})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1.",
        "127.127.127.127",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "0",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "user:password@127.0.0.1",
        "example.com@127.0.0.1",
        "127.0.0.1%00.example.com",
        "127.0.0.1%2eexample.com",
        "exa mple.com",
        "-example.com",
        "",
    ],
)
def test_no_spelling_of_a_private_address_is_reached(inside: LoopbackWeb, host: str) -> None:
    with client() as http, pytest.raises(ForbiddenAddress):
        http.get(f"http://{host}:{inside.port}/")


@pytest.mark.parametrize(
    "tail", ["#@example.com/", "\\@example.com/", "/?@example.com", ";@example.com/", "/\r\nHost: example.com", " /"]
)
def test_no_url_trick_reaches_a_private_address(inside: LoopbackWeb, tail: str) -> None:
    with client() as http, pytest.raises(ForbiddenAddress):
        http.get(f"http://127.0.0.1:{inside.port}{tail}")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "ftp://example.com/x",
        "gopher://127.0.0.1:70/_x",
        "dict://127.0.0.1:11211/stats",
        "data:text/xml,<rss/>",
        "javascript:alert(1)",
        "jar:http://example.com!/x",
        "unix:///var/run/docker.sock",
        "//127.0.0.1/x",
        "/etc/passwd",
        "http:///x",
        "http://[::1/x",
        "http://example.com:99999/",
        "http://example.com:0x50/",
        "",
    ],
)
def test_only_web_addresses_are_fetched(url: str) -> None:
    with client() as http, pytest.raises(ForbiddenAddress):
        http.get(url)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "192.0.0.192",
        "198.18.0.1",
        "203.0.113.7",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "0.1.2.3",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
    ],
)
def test_no_name_leads_to_an_address_that_is_not_public(address: str) -> None:
    with client(resolver=lambda host, port: [address]) as http, pytest.raises(ForbiddenAddress):
        http.get("http://innocent.example/")


@pytest.mark.parametrize("answer", [[PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, "::1"]])
def test_one_private_address_among_public_ones_forbids_the_name(inside: LoopbackWeb, answer: list[str]) -> None:
    with client(resolver=lambda host, port: answer) as http, pytest.raises(ForbiddenAddress):
        http.get(f"http://mixed.example:{inside.port}/")


def test_dns_that_changes_after_the_check_gains_nothing(inside: LoopbackWeb) -> None:
    answers = itertools.chain([[PUBLIC]], itertools.repeat(["127.0.0.1"]))
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    with client(resolver=rebinding) as http, pytest.raises((ConnectionFailed, FetchTimeout)):
        http.get(f"http://rebind.example:{inside.port}/")
    assert asked == ["rebind.example"]


def test_dns_that_changes_between_two_redirects_is_checked_again(inside: LoopbackWeb, outside: LoopbackWeb) -> None:
    answers = itertools.chain([["127.0.0.1"]], itertools.repeat(["127.0.0.1"]))
    outside.add("/a", Reply(b"", 302, {"Location": f"http://rebind.example:{inside.port}/"}))
    with client(outside, resolver=lambda host, port: next(answers)) as http, pytest.raises(ForbiddenAddress):
        http.get(outside.url("/a"))


@pytest.mark.parametrize("port", [22, 25, 53, 110, 445, 993])
def test_public_hosts_are_asked_on_ports_of_the_web_only(port: int) -> None:
    with client(resolver=lambda host, port: [PUBLIC]) as http, pytest.raises(ForbiddenAddress, match="port"):
        http.get(f"http://innocent.example:{port}/")


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/",
        "http://localhost:{port}/",
        "//127.0.0.1:{port}/",
        "http://2130706433:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://169.254.169.254/latest/meta-data/",
        "http://x@127.0.0.1:{port}/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/",
        "http://[broken",
        "http://%00/",
    ],
)
@pytest.mark.parametrize("status", [301, 307])
def test_no_redirect_leads_inside(inside: LoopbackWeb, outside: LoopbackWeb, location: str, status: int) -> None:
    outside.add("/hop", Reply(b"", 302, {"Location": "/jump"}))
    outside.add("/jump", Reply(b"", status, {"Location": location.format(port=inside.port)}))
    with client(outside) as http, pytest.raises(ForbiddenAddress):
        http.get(outside.url("/hop"))


def test_a_redirect_loop_ends(outside: LoopbackWeb) -> None:
    outside.add("/a", Reply(b"", 302, {"Location": "/b"}))
    outside.add("/b", Reply(b"", 302, {"Location": "/a"}))
    with client(outside) as http, pytest.raises(TooManyRedirects):
        http.get(outside.url("/a"))
    assert len(outside.requests) == 6


@pytest.mark.parametrize("address", ["/%0d%0aX-Injected:%20yes", "/\r\nX-Injected: yes", "/\nX-Injected: yes"])
def test_no_header_is_injected_through_an_address(outside: LoopbackWeb, address: str) -> None:
    outside.add("/a", Reply(b"", 302, {"Location": address.replace("\r", "").replace("\n", "%0d%0a")}))
    outside.add("*", b"ok")
    with client(outside) as http:
        http.get(outside.url(address))
        http.get(outside.url("/a"))
    assert len(outside.requests) >= 2
    assert all("x-injected" not in request.headers for request in outside.requests)


def test_a_redirect_to_another_host_carries_no_credentials(outside: LoopbackWeb) -> None:
    outside.add("/a", Reply(b"", 302, {"Location": outside.url("/b", host="localhost")}))
    outside.add("/b", b"ok")
    with client(outside) as http:
        http.get(outside.url("/a"), headers={"Authorization": "Bearer 1", "Cookie": "a=b", "X-Kept": "1"})
    first, second = outside.requests
    assert "authorization" in first.headers
    assert "authorization" not in second.headers
    assert "cookie" not in second.headers
    assert second.headers["x-kept"] == "1"


BOMB = gzip.compress(b"0" * 50_000_000)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (BOMB, "gzip"),
        (BOMB, "x-gzip"),
        (gzip.compress(BOMB), "gzip, gzip"),
        (zlib.compress(b"0" * 50_000_000), "deflate"),
        (zlib.compress(b"0" * 50_000_000)[2:-4], "deflate"),
        (gzip.compress(b"0" * 60_000) * 1_000, "gzip"),
        (b"0" * 200_000, "identity"),
        (b"0" * 200_000, ""),
    ],
    ids=["gzip", "x-gzip", "gzip in gzip", "zlib", "bare deflate", "many members", "identity", "plain"],
)
def test_no_body_grows_beyond_the_cap(outside: LoopbackWeb, body: bytes, encoding: str) -> None:
    outside.add("/whole", Reply(body, headers={"Content-Encoding": encoding}))
    outside.add("/pieces", lambda _: Reply(chunks(body, size=10_000), headers={"Content-Encoding": encoding}))
    with client(outside) as http:
        for path in ("/whole", "/pieces"):
            with pytest.raises(TooLarge):
                http.get(outside.url(path))


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b"x" * 1000)[:-20], "gzip"),
        (b"not gzip at all", "gzip"),
        (b"not deflate at all", "deflate"),
        (b"x", "br"),
        (gzip.compress(gzip.compress(gzip.compress(b"x"))), "gzip, gzip, gzip"),
    ],
    ids=["cut short", "no gzip", "no deflate", "not asked for", "three layers"],
)
def test_a_body_that_cannot_be_decoded_is_a_typed_error(outside: LoopbackWeb, body: bytes, encoding: str) -> None:
    outside.add("/a", Reply(body, headers={"Content-Encoding": encoding}))
    with client(outside) as http, pytest.raises(ConnectionFailed):
        http.get(outside.url("/a"))


def test_a_declared_length_beyond_the_cap_is_refused_before_reading() -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(OK + b"Content-Length: 99999999999\r\n\r\n")
        time.sleep(0.6)

    with RawServer(talk) as server, client(server) as http, pytest.raises(TooLarge):
        http.get(server.url())


def forever(first: bytes, piece: bytes, pause: float = 0.0) -> Callable[[socket.socket], None]:
    def talk(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(100_000):
            connection.sendall(piece)
            time.sleep(pause)

    return talk


@pytest.mark.parametrize(
    ("talk", "error"),
    [
        (forever(OK + b"\r\n", b"x" * 65536), TooLarge),
        (forever(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"), TooLarge),
        (forever(OK, b"X-Header: " + b"y" * 1000 + b"\r\n"), ConnectionFailed),
        (forever(OK + b"X-Endless: ", b"y" * 65536), ConnectionFailed),
        (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), FetchTimeout),
        (forever(OK + b"Content-Length: 50000\r\n\r\n", b"x", 0.02), FetchTimeout),
        (forever(b"", b"H", 0.02), (FetchTimeout, ConnectionFailed)),
        (forever(OK, b"X: y\r\n", 0.02), FetchTimeout),
        (forever(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.02), FetchTimeout),
        (forever(b"", b"", 0.1), FetchTimeout),
    ],
    ids=[
        "endless body",
        "endless chunks",
        "endless headers",
        "endless header",
        "endless 100 Continue",
        "dripping body",
        "dripping status line",
        "dripping headers",
        "dripping chunks",
        "silence",
    ],
)
def test_an_endless_answer_ends_by_cap_or_deadline(
    talk: Callable[[socket.socket], None], error: type[FetchError]
) -> None:
    # Without a cap or a deadline each of these would go on for half an hour, and the test's own limit would end it.
    with RawServer(talk) as server, client(server) as http, pytest.raises(error):
        http.get(server.url())


def test_redirects_together_keep_one_deadline(outside: LoopbackWeb) -> None:
    def slow_hop(_: object) -> Reply:
        time.sleep(0.3)
        return Reply(b"", 302, {"Location": "/again"})

    outside.add("*", slow_hop)
    with client(outside, max_redirects=50) as http, pytest.raises(FetchTimeout):
        http.get(outside.url("/a"))
    assert len(outside.requests) < 6


def test_a_name_server_that_never_answers_does_not_hold_the_request() -> None:
    def stalled(host: str, port: int) -> list[str]:
        time.sleep(3)
        return [PUBLIC]

    with client(resolver=stalled, connect_timeout=0.1) as http, pytest.raises(FetchTimeout, match="resolved"):
        http.get("http://slow.example/")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\x01\x02\x03",
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"<html>no status line</html>",
        b"HTTP/1.1 abc OK\r\n\r\n",
        OK + b"no colon\r\n\r\n",
        OK + b"Content-Length: -5\r\n\r\n",
        OK + b"Content-Length: 5\r\nContent-Length: 7\r\n\r\nhello",
        OK + b"Content-Length: 500\r\n\r\ncut short",
        OK + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffffff\r\n",
        OK + b"Transfer-Encoding: gopher\r\n\r\n",
    ],
)
def test_broken_http_is_a_typed_error(raw: bytes) -> None:
    talk = RawServer(lambda connection: connection.sendall(raw))
    with talk as server, client(server) as http, pytest.raises(ConnectionFailed):
        http.get(server.url())


def test_a_host_named_by_the_owner_is_reached_on_its_port_only(inside: LoopbackWeb, outside: LoopbackWeb) -> None:
    outside.add("/a", b"ok")
    with client(outside) as http:
        assert http.get(outside.url("/a")).content == b"ok"
        with pytest.raises(ForbiddenAddress):
            http.get(inside.url("/a"))
