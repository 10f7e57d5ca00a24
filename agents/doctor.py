"""The doctor: looks at every part and says what is set up, what is degraded and how to fix it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING

from agents import doctor_service
from agents.watch import FREE_BYTES
from framework.errors import DealhoundError
from framework.feedstate import FeedStatus
from framework.health import Check, degraded, failed, ok

if TYPE_CHECKING:
    from agents.assemble import Hound


def examine(hound: Hound) -> list[Check]:
    """One check per part, in the order of the pipeline. A part that raises is a failed check, never an end."""
    parts: list[tuple[str, Callable[[Hound], Check]]] = [
        ("installation", doctor_service.installation),
        ("settings", _settings),
        ("database", _database),
        ("memory.json", doctor_service.memory_file),
        ("daemon", doctor_service.daemon),
        ("dashboard", doctor_service.dashboard),
        ("work", _work),
        ("disk", _disk),
        ("feeds", _feeds),
        ("reader", _reader),
        ("budget", doctor_service.budget),
        ("specialist", _member("specialist")),
        ("frontier", _member("frontier")),
        ("random_forest", _member("random_forest")),
        ("blender", _blender),
        ("catalogue", _catalogue),
        ("messages", _messages),
        ("learning", _learning),
    ]
    return [_guarded(name, look, hound) for name, look in parts]


def _guarded(name: str, look: Callable[[Hound], Check], hound: Hound) -> Check:
    try:
        return look(hound)
    except DealhoundError as error:
        return failed(name, str(error), "See the sentence above; then try again")


def _settings(hound: Hound) -> Check:
    file = hound.settings.home / "dealhound.toml"
    return ok("settings", f"{file} and the environment" if file.exists() else f"defaults; no {file}")


def _database(hound: Hound) -> Check:
    counts = hound.store.count_by_verdict()
    kind = hound.settings.sqlalchemy_url.split(":", 1)[0]
    return ok(
        "database", f"{kind}: {sum(counts.values()):,} entries, {hound.store.count_opportunities():,} opportunities"
    )


_WAITS_LONG = 600  # seconds: jobs are taken within one where a daemon is free


def _work(hound: Hound) -> Check:
    """How the work is shared: in process, or through the queue."""
    if not hound.settings.shares_work:
        return ok("work", "in process: one daemon on SQLite")
    from agents.sharing.status import queue_status

    status = queue_status(hound.settings.sqlalchemy_url)
    if status is None or status.daemons == 0:
        said = status.sentence if status else "no daemon has run on this database yet"
        return degraded("work", f"shared through the queue on PostgreSQL: {said}", "Start one: ./dealhound run")
    detail = f"shared through the queue on PostgreSQL: {status.sentence}"
    if status.failed or (status.oldest or 0) > _WAITS_LONG:
        fix = "See the daemons' logs for what failed; where jobs only wait, start another daemon"
        return degraded("work", detail, fix)
    return ok("work", detail)


def _disk(hound: Hound) -> Check:
    free = shutil.disk_usage(hound.settings.state).free
    if free < FREE_BYTES:
        return degraded(
            "disk", f"{free / 1e6:,.0f} MB free", "Free some space: memory cannot be written on a full disk"
        )
    return ok("disk", f"{free / 1e9:,.1f} GB free")


def _feeds(hound: Hound) -> Check:
    feeds = hound.store.feeds()
    if not feeds:
        return degraded("feeds", "no feeds", "Add one: ./dealhound feeds add URL")
    bad = [feed.title or feed.url for feed in feeds if feed.status in (FeedStatus.FAILING, FeedStatus.GONE)]
    if bad:
        names = ", ".join(bad[:5])
        return degraded("feeds", f"{len(bad)} of {len(feeds)} failing: {names}", "See ./dealhound feeds list")
    return ok("feeds", f"{len(feeds)} followed")


def _reader(hound: Hound) -> Check:
    if hound.reader.name == "extractive":
        fix = "Set OPENAI_API_KEY, DEALHOUND_LLM_BASE_URL or DEALHOUND_LLM_MODEL to read deals with a language model"
        return degraded("reader", "extractive: deals are read by grammar and page markup", fix)
    return ok("reader", f"{hound.reader.name}, the extractive reader where the model fails")


def _member(name: str) -> Callable[[Hound], Check]:
    """A member of the ensemble is asked to price one thing."""

    def look(hound: Hound) -> Check:
        agent = next(member for member in hound.members if member.name == name)
        (estimate,) = agent.estimate(["Wireless noise cancelling headphones, over-ear, 30 hours of battery"])
        if estimate.value is None:
            fix = _FIXES.get(f"{name}.{hound.settings.specialist}", _FIXES[name])
            return failed(name, str(estimate.failure), fix)
        said = f"answers (${estimate.value:,.0f} for a pair of headphones)"
        if name == "specialist":
            said = f"{_SPECIALISTS[hound.settings.specialist]} {said}"
        if estimate.degraded:
            return degraded(name, f"{estimate.degraded}; {said}", _FIXES[name])
        return ok(name, said)

    return look


_SPECIALISTS = {"bundled": "the bundled network", "modal": "the app on Modal", "llama_cpp": "the GGUF file"}
_FIXES = {
    "specialist.modal": "Set MODAL_TOKEN_ID and MODAL_TOKEN_SECRET, then ./dealhound specialist deploy; a container "
    "takes about 90 s to start, so look again in two minutes",
    "specialist.llama_cpp": "Set specialist_gguf, or make the file: ./dealhound specialist export --gguf",
    "specialist": "Restore models/artifacts from the release, or ./dealhound train specialist",
    "frontier": "Set OPENAI_API_KEY, DEALHOUND_LLM_BASE_URL or DEALHOUND_LLM_MODEL to reason over what is retrieved",
    "random_forest": "Restore models/artifacts from the release, or ./dealhound train forest",
}


def _blender(hound: Hound) -> Check:
    subsets = len(hound.blender.model.subsets)
    return ok("blender", f"coefficients for {subsets} sets of members")


def _catalogue(hound: Hound) -> Check:
    count = hound.catalogue.count()
    if count < 5_000:
        fix = "Add priced products: ./dealhound catalogue add products.jsonl"
        return degraded("catalogue", f"{count:,} products; estimates get better with more", fix)
    return ok("catalogue", f"{count:,} products at {hound.catalogue.location}")


def _messages(hound: Hound) -> Check:
    channels = [notifier.channel for notifier in hound.notifiers]
    if channels == ["console"]:
        fix = "Set PUSHOVER_USER and PUSHOVER_TOKEN, or DEALHOUND_APPRISE_URLS; then ./dealhound notify test"
        return degraded("messages", "console and dashboard only", fix)
    scarce = [said for channel in channels if (said := _allowance(hound, channel)) and said[1]]
    if scarce:
        fix = "Alerts are spread over the days until then; raise min_probability or the allowance"
        return degraded("messages", scarce[0][0], fix)
    told = [said[0] for channel in channels if (said := _allowance(hound, channel))]
    return ok("messages", "; ".join([", ".join(channels), *told]))


def _allowance(hound: Hound, channel: str) -> tuple[str, bool] | None:
    """What a channel's service last said of its allowance, and whether that is little."""
    from agents.messaging.sender import known_allowance

    known = known_allowance(hound.store, channel)
    if known is None:
        return None
    reset = known.reset.astimezone(hound.settings.zone)
    return f"{channel}: {known.remaining:,} of {known.limit:,} messages left until {reset:%d %B}", known.scarce


def _learning(hound: Hound) -> Check:
    lessons = hound.learner.lessons()
    said = list(lessons.sentences().values())
    if said:
        return ok("learning", " ".join(said))
    wish = hound.settings.precision_wish
    aim = f"for {wish:.0%} good alerts" if wish is not None else "no precision_wish is set"
    return ok("learning", f"{lessons.votes} votes, nothing learnt from them yet ({aim})")
