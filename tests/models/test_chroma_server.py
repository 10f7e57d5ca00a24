"""The catalogue on a real Chroma server: shared by processes, gone and back, and never with its password in sight."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.assemble import Hound
from agents.frontier import FrontierAgent
from agents.member import CircuitBreaker
from framework.errors import CatalogueUnavailable
from framework.settings import load_settings
from models.catalogue import Catalogue, CatalogueItem, ShippedCatalogue
from models.knn import RetrievalEstimator
from tests.fakes.chroma import ChromaServer
from tests.fakes.web import LoopbackWeb, RawServer, Reply
from tests.models.test_catalogue import DRILL, KETTLE, WordEncoder

ROOT = Path(__file__).resolve().parents[2]
PRODUCTS = 300


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("chroma")


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[ChromaServer]:
    with ChromaServer(folder) as server:
        yield server


@pytest.fixture
def server(running: ChromaServer) -> ChromaServer:
    """The server without a product."""
    catalogue = Catalogue(WordEncoder(), url=running.url)
    catalogue.count()
    catalogue.clear()
    return running


def shipped(count: int, digest: str = "first") -> ShippedCatalogue:
    items = [CatalogueItem(id=f"{digest}-{n}", description=f"thing {n} {digest}", price=n + 1) for n in range(count)]
    return ShippedCatalogue(digest, items, None)


def test_what_one_adds_another_finds(server: ChromaServer) -> None:
    encoder = WordEncoder()
    assert Catalogue(encoder, url=server.url).add([KETTLE, DRILL]) == 2
    other = Catalogue(encoder, url=server.url)
    ((nearest, _),) = other.query(encoder.encode(["steel kettle"]), 5)
    assert (nearest.id, nearest.price, nearest.category) == ("k", 30, "Kitchen")
    assert other.count() == 2
    assert other.location == server.url


_RECEIVE = """
import sys
import chromadb
from models.catalogue import Catalogue, CatalogueItem, ShippedCatalogue
from tests.models.test_catalogue import WordEncoder
items = [CatalogueItem(id=str(n), description=f"thing {n}", price=n + 1) for n in range(int(sys.argv[2]))]
catalogue = Catalogue(WordEncoder(), url=sys.argv[1], shipped=lambda: ShippedCatalogue("one", items, None))
print("READY", flush=True)
sys.stdin.readline()
print(catalogue.count())
"""


def test_the_shipped_products_are_there_once_though_two_processes_bring_them(server: ChromaServer) -> None:
    command = [sys.executable, "-c", _RECEIVE, server.url, str(PRODUCTS)]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "READY\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=90)[0].splitlines()[-1] for process in processes]
    assert answers == [str(PRODUCTS)] * 2
    catalogue = Catalogue(WordEncoder(), url=server.url)
    assert catalogue.info().shipped == catalogue.count() == PRODUCTS


def test_a_new_release_replaces_the_products_of_the_old_and_keeps_the_owners(server: ChromaServer) -> None:
    Catalogue(WordEncoder(), url=server.url, shipped=lambda: shipped(3)).add([KETTLE])
    newer = Catalogue(WordEncoder(), url=server.url, shipped=lambda: shipped(2, "second"))
    assert {item.id for item, _ in newer.items()} == {"k", "second-0", "second-1"}


def test_a_member_on_a_server_that_is_down_says_so_and_works_again_when_it_is_back(server: ChromaServer) -> None:
    encoder = WordEncoder()
    catalogue = Catalogue(encoder, url=server.url)
    catalogue.add([KETTLE, DRILL])
    member = FrontierAgent(RetrievalEstimator(catalogue, encoder), breaker=CircuitBreaker(failures=99))
    (priced,) = member.estimate(["steel kettle"])
    assert priced.value is not None
    server.stop()
    (failed,) = member.estimate(["steel kettle"])
    assert failed.value is None
    assert server.url in str(failed.failure)
    assert "does not answer" in str(failed.failure)
    server.start()
    (again,) = member.estimate(["steel kettle"])
    assert again.value == pytest.approx(priced.value)


def test_a_server_that_comes_back_without_its_data_receives_the_shipped_products_anew(server: ChromaServer) -> None:
    catalogue = Catalogue(WordEncoder(), url=server.url, shipped=lambda: shipped(3))
    assert catalogue.count() == 3
    Catalogue(WordEncoder(), url=server.url).clear()
    with pytest.raises(CatalogueUnavailable):
        catalogue.count()
    assert catalogue.count() == 3


def test_the_login_in_the_url_is_sent_and_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    with LoopbackWeb() as web:
        web.add("/*", lambda request: Reply(b"{}", 401))
        catalogue = Catalogue(WordEncoder(), url=web.url("").replace("//", "//deal%40home:hunter2%21@"))
        with pytest.raises(CatalogueUnavailable) as caught:
            catalogue.count()
        assert web.requests[0].headers["authorization"] == "Basic ZGVhbEBob21lOmh1bnRlcjIh"
    for shown in (str(caught.value), catalogue.location, caplog.text):
        assert "hunter2" not in shown


def test_settings_name_the_server_and_logs_hide_its_password(server: ChromaServer, tmp_path: Path) -> None:
    url = server.url.replace("//", "//deal:hunter2@")
    settings = load_settings(tmp_path, {"DEALHOUND_CHROMA_URL": url})
    assert "hunter2" in settings.secrets()
    with Hound(settings) as hound:
        assert hound.catalogue.location == server.url


def test_a_server_that_hangs_is_given_up() -> None:
    started = time.monotonic()
    with RawServer(lambda connection: time.sleep(30)) as silent:
        catalogue = Catalogue(WordEncoder(), url=silent.url("").rstrip("/"), timeout=0.3)
        with pytest.raises(CatalogueUnavailable, match="does not answer"):
            catalogue.count()
    assert time.monotonic() - started < 25
