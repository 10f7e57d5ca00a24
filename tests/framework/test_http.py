"""The HTTP client as an honest caller meets it."""

from __future__ import annotations

import gzip
import inspect
import shutil
import ssl
import subprocess
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpcore2
import pytest

from framework.errors import ConnectionFailed, FetchError, HTTPStatusError, SettingsError
from framework.http import HttpClient
from framework.http.addresses import parse_target
from framework.http.politeness import HostGate
from framework.http.translate import translated
from tests.fakes.web import LoopbackWeb, Reply, Request, chunks


@pytest.fixture
def web() -> Iterator[LoopbackWeb]:
    with LoopbackWeb() as server:
        yield server


@pytest.fixture
def http(web: LoopbackWeb) -> Iterator[HttpClient]:
    with HttpClient(allow_hosts=web.hosts, gap=0, total_timeout=10) as client:
        yield client


def test_a_page_comes_with_status_headers_and_final_address(web: LoopbackWeb, http: HttpClient) -> None:
    web.add("/a b", b"caf\xc3\xa9", headers={"X-Two": "1"}, content_type="text/html")
    web.add("/a%20b", b"caf\xc3\xa9", headers={"X-Two": "1"}, content_type="text/html")
    response = http.get(web.url("/a b?q=é&r=1#part"))
    assert (response.status, response.content) == (200, b"caf\xc3\xa9")
    assert response.headers["content-type"] == "text/html"
    assert response.url == web.url("/a%20b?q=%C3%A9&r=1")
    assert response.elapsed > 0


def test_the_client_names_itself_and_asks_for_what_it_can_read(web: LoopbackWeb) -> None:
    web.add("/a", b"")
    with HttpClient(allow_hosts=web.hosts, gap=0, user_agent="Dealhound/9 (+https://example.com)") as http:
        http.get(web.url("/a"), accept="text/html", headers={"If-None-Match": '"1"'})
    sent = web.requests[0].headers
    assert sent["user-agent"] == "Dealhound/9 (+https://example.com)"
    assert sent["accept"] == "text/html"
    assert sent["accept-encoding"] == "gzip, deflate"
    assert sent["if-none-match"] == '"1"'
    assert sent["host"] == f"127.0.0.1:{web.port}"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("GZIP", gzip.compress(b"hel") + gzip.compress(b"lo")),
        ("gzip", gzip.compress(b"hello") + b"\0\0padding"),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("deflate, gzip", gzip.compress(zlib.compress(b"hello"))),
        ("identity", b"hello"),
    ],
)
def test_compressed_bodies_are_unpacked(web: LoopbackWeb, http: HttpClient, encoding: str, body: bytes) -> None:
    web.add("/whole", Reply(body, headers={"Content-Encoding": encoding}))
    web.add("/pieces", lambda _: Reply(chunks(body), headers={"Content-Encoding": encoding}))
    assert http.get(web.url("/whole")).content == b"hello"
    assert http.get(web.url("/pieces")).content == b"hello"


def test_a_body_of_exactly_the_cap_is_read(web: LoopbackWeb, http: HttpClient) -> None:
    web.add("/a", Reply(gzip.compress(b"x" * 5000), headers={"Content-Encoding": "gzip"}))
    assert len(http.get(web.url("/a"), max_bytes=5000).content) == 5000


def test_not_modified_is_an_answer_and_errors_are_raised_with_the_servers_wish(
    web: LoopbackWeb, http: HttpClient
) -> None:
    web.add("/a", b"x", etag='"1"')
    web.add("/busy", Reply(b"", 429, {"Retry-After": "120"}))
    assert http.get(web.url("/a"), headers={"If-None-Match": '"1"'}).status == 304
    with pytest.raises(HTTPStatusError) as caught:
        http.get(web.url("/busy"))
    assert (caught.value.status, caught.value.retry_after) == (429, 120.0)


@pytest.mark.parametrize(
    ("first", "second", "remembered"), [(301, 308, "/c"), (301, 302, "/b"), (302, 301, None), (303, 307, None)]
)
def test_only_permanent_redirects_from_the_start_on_are_remembered(
    web: LoopbackWeb, http: HttpClient, first: int, second: int, remembered: str | None
) -> None:
    web.add("/a", Reply(b"", first, {"Location": "b"}))
    web.add("/b", Reply(b"", second, {"Location": "/c"}))
    web.add("/c", b"here")
    response = http.get(web.url("/a"))
    assert response.url == web.url("/c")
    assert response.moved_to == (web.url(remembered) if remembered else None)


def test_one_host_is_asked_one_at_a_time_however_many_threads_ask(web: LoopbackWeb, http: HttpClient) -> None:
    web.add("*", lambda _: Reply(chunks(b"slow", pause=0.005)))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: http.get(web.url(f"/{number}")).content, range(16)))
    assert answers == [b"slow"] * 16
    assert web.most_at_once == {"127.0.0.1": 1}


def test_many_hosts_are_asked_at_once(web: LoopbackWeb) -> None:
    meeting = threading.Barrier(4, timeout=20)

    def wait_for_the_others(_: Request) -> Reply:
        meeting.wait()
        return Reply(b"met")

    web.add("*", wait_for_the_others)
    names = [f"host{number}.test" for number in range(4)]
    with (
        HttpClient(allow_hosts=names, gap=60, resolver=lambda host, port: ["127.0.0.1"]) as http,
        ThreadPoolExecutor(4) as pool,
    ):
        answers = list(pool.map(lambda name: http.get(web.url(host=name)).content, names))
    assert answers == [b"met"] * 4


def test_between_two_turns_of_a_host_lies_the_gap() -> None:
    now = [100.0]
    gate = HostGate(gap=2.0, clock=lambda: now[0])
    with gate.turn("a.test"):
        now[0] = 103.0
    assert gate._wait_for("a.test") == 2.0
    assert gate._wait_for("b.test") == 0.0
    now[0] = 105.0
    assert gate._wait_for("a.test") == 0.0


def test_closing_ends_requests_under_way_and_refuses_new_ones(web: LoopbackWeb, http: HttpClient) -> None:
    arrived, release = threading.Event(), threading.Event()

    def hang(_: Request) -> Reply:
        arrived.set()
        release.wait(20)
        return Reply(b"late")

    web.add("/hang", hang)
    with ThreadPoolExecutor(2) as pool:
        under_way = pool.submit(http.get, web.url("/hang"))
        waiting = pool.submit(http.get, web.url("/next"))
        assert arrived.wait(20)
        http.close()
        for pending in (under_way, waiting):
            with pytest.raises(ConnectionFailed):
                pending.result(20)
    release.set()
    with pytest.raises(ConnectionFailed, match="shutting down"):
        http.get(web.url("/hang"))


def test_a_dead_port_and_an_unknown_name_are_connection_failures(http: HttpClient) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("Name or service not known")

    with LoopbackWeb() as gone:
        dead, hosts = gone.url("/a"), gone.hosts
    with HttpClient(allow_hosts=hosts, gap=0) as http, pytest.raises(ConnectionFailed) as caught:
        http.get(dead)
    assert caught.value.url == dead
    with HttpClient(resolver=unknown) as http, pytest.raises(ConnectionFailed, match="could not be resolved"):
        http.get("http://nowhere.example/")


def test_the_next_address_is_tried_when_the_first_is_dead(web: LoopbackWeb) -> None:
    web.add("/a", b"ok")
    answers = ["127.0.0.2", "127.0.0.1"]  # the server listens on the second one only
    with HttpClient(allow_hosts=["two.test"], gap=0, resolver=lambda host, port: answers) as http:
        assert http.get(web.url("/a", host="two.test")).content == b"ok"


def test_every_error_of_the_library_becomes_one_of_ours() -> None:
    foreign = [
        member
        for _, member in inspect.getmembers(httpcore2, inspect.isclass)
        if issubclass(member, Exception) and member.__module__.startswith("httpcore2")
    ]
    assert len(foreign) >= 14
    for error in foreign:
        with pytest.raises(FetchError) as caught, translated("http://a.test/"):
            raise error("detail")
        assert caught.value.url == "http://a.test/"


def test_a_bug_passes_through_the_translation() -> None:
    with pytest.raises(KeyError), translated("http://a.test/"):
        raise KeyError("bug")


def test_requests_go_through_the_proxy_and_are_checked_before(web: LoopbackWeb) -> None:
    web.add("*", b"by proxy")
    names = {"shop.example": ["93.184.215.14"], "evil.example": ["10.0.0.1"], "127.0.0.1": ["127.0.0.1"]}

    def resolver(host: str, port: int) -> list[str]:
        if host not in names:
            raise OSError("unknown here")
        return names[host]

    with HttpClient(gap=0, proxy=web.url().rstrip("/"), resolver=resolver) as http:
        assert http.get("http://shop.example/x").content == b"by proxy"
        assert http.get("http://only-the-proxy-knows.example/x").content == b"by proxy"
        for url in ("http://evil.example/", "http://169.254.169.254/latest", f"http://localhost:{web.port}/"):
            names["localhost"] = ["127.0.0.1"]
            with pytest.raises(FetchError, match="not public"):
                http.get(url)
    assert [request.target for request in web.requests] == [
        "http://shop.example/x",
        "http://only-the-proxy-knows.example/x",
    ]


def test_a_proxy_that_is_no_address_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="proxy"):
        HttpClient(proxy="localhost")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=shop.test"
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:shop.test"], cwd=folder, check=True, capture_output=True
    )
    return folder


def test_https_holds_the_certificate_against_the_name(certificate: Path) -> None:
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    trusting = ssl.create_default_context(cafile=str(certificate / "cert.pem"))
    here = {"allow_hosts": ["shop.test", "other.test"], "gap": 0, "resolver": lambda host, port: ["127.0.0.1"]}
    with LoopbackWeb(server_side) as web:
        web.add("/a", b"safe")
        with HttpClient(ssl_context=trusting, **here) as http:  # type: ignore[arg-type]
            assert http.get(web.url("/a", host="shop.test")).content == b"safe"
            with pytest.raises(ConnectionFailed, match=r"(?i)certificate"):
                http.get(web.url("/a", host="other.test"))
        with HttpClient(**here) as http, pytest.raises(ConnectionFailed, match=r"(?i)certificate"):  # type: ignore[arg-type]
            http.get(web.url("/a", host="shop.test"))


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("HTTP://Shop.Example:80", "http://shop.example/"),
        ("https://shop.example:8443/a b?c=d e", "https://shop.example:8443/a%20b?c=d%20e"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://[2606:4700::1111]:8080/x", "http://[2606:4700::1111]:8080/x"),
        ("http://shop.example./a%20b%2Fc", "http://shop.example/a%20b%2Fc"),
    ],
)
def test_addresses_are_normalised_once(url: str, normal: str) -> None:
    assert parse_target(url).url == normal
    assert parse_target(normal).url == normal
