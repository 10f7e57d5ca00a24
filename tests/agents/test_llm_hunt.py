"""A whole hunt with a model of random weights: it ends well, whoever leads it, and reads what the grammar can read."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("llama_cpp", reason="needs the local extra")

from agents.assemble import Hound
from agents.commands.hunting import hunt
from framework.memory.records import EntryVerdict
from framework.settings import load_settings
from tests.fakes.tiny_gguf import make_gguf
from tests.framework.memory_examples import fresh_url

pytestmark = [pytest.mark.local]
FEED = """<rss version="2.0"><channel><title>t</title><link>http://feed.test</link>
<item><title>Lumo Desk Lamp L200 for $24.99</title><guid>1</guid><description>Glass</description></item>
<item><title>Kestrel headphones, a great price</title><guid>2</guid><description>Cheap!</description></item>
<item><title>Harrow vacuum 199 or 189 by code</title><guid>3</guid><description>Pay less</description></item>
</channel></rss>"""


@pytest.mark.parametrize("planner", ["workflow", "autonomous"])
def test_a_hunt_with_random_weights_ends_well(tmp_path: Path, planner: str) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_text(FEED, encoding="utf-8")
    environ = {
        "DEALHOUND_LLM_MODEL": str(make_gguf(tmp_path / "tiny.gguf")),
        "DEALHOUND_LLM_CONTEXT": "4096",
        "DEALHOUND_PLANNER": planner,
        "DEALHOUND_DATABASE_URL": fresh_url(tmp_path),
    }
    with Hound(load_settings(home=tmp_path, environ=environ)) as hound:
        report = hunt(hound, [str(feed)])
        spent = hound.chat.budget.today() if hound.chat else None
        lamp = next(record for record in hound.store.entries(10, 0) if record.entry.title.startswith("Lumo"))
        deal = hound.store.deal(lamp.entry.id)
    assert report.entries_read == 3
    assert report.deals >= 1
    assert lamp.verdict is not EntryVerdict.SKIPPED
    assert deal is not None
    assert str(deal.price) == "$24.99"
    assert spent is not None
    assert spent.calls > 0
