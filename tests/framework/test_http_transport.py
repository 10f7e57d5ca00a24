"""The guard inside an httpx2 client, as the OpenAI SDK uses one."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
import pytest

from framework.errors import ConnectionFailed, FetchTimeout, ForbiddenAddress
from framework.http.transport import GuardedTransport
from tests.fakes.web import LoopbackWeb, Reply, chunks


@pytest.fixture
def web() -> Iterator[LoopbackWeb]:
    with LoopbackWeb() as server:
        yield server


def test_a_named_host_is_reached_with_method_body_and_headers(web: LoopbackWeb) -> None:
    web.add("/v1/chat", lambda request: Reply(b"got " + request.body, 201, {"X-Echo": request.headers["x-key"]}))
    with httpx2.Client(transport=GuardedTransport(allow_hosts=web.hosts)) as client:
        answer = client.post(web.url("/v1/chat"), content=b"hello", headers={"X-Key": "1"})
    assert (answer.status_code, answer.content, answer.headers["x-echo"]) == (201, b"got hello", "1")
    assert web.requests[0].method == "POST"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]", "169.254.169.254"])
def test_a_private_host_that_nobody_named_is_not_reached(web: LoopbackWeb, host: str) -> None:
    web.add("*", b"secret")
    with httpx2.Client(transport=GuardedTransport()) as client, pytest.raises(ForbiddenAddress):
        client.get(f"http://{host}:{web.port}/")
    assert web.requests == []


def test_redirects_are_checked_alike(web: LoopbackWeb) -> None:
    web.add("/a", Reply(b"", 307, {"Location": "http://169.254.169.254/latest/"}))
    transport = GuardedTransport(allow_hosts=web.hosts)
    with httpx2.Client(transport=transport, follow_redirects=True) as client, pytest.raises(ForbiddenAddress):
        client.get(web.url("/a"))


def test_a_dripping_answer_ends_by_the_deadline_and_a_dead_port_is_a_typed_error(web: LoopbackWeb) -> None:
    web.add("/drip", lambda _: Reply(chunks(b"x" * 1000, pause=0.02)))
    transport = GuardedTransport(allow_hosts=["127.0.0.1"], total_timeout=0.3)
    with httpx2.Client(transport=transport) as client:
        with pytest.raises(FetchTimeout):
            client.get(web.url("/drip"))
        with pytest.raises(ConnectionFailed):
            client.get("http://127.0.0.1:1/")
