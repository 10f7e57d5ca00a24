"""What is set up, what is degraded and how to mend it; the settings; and the line at the top of every page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from framework.health import Check, CheckStatus, worst
from framework.settings import Settings, environment_name
from framework.views.markup import NOTHING, Html, empty, join, moment, table, tag

_WORDS = {CheckStatus.OK: "All is well", CheckStatus.DEGRADED: "Degraded", CheckStatus.FAILED: "Needs you"}


def header(
    checks: Sequence[Check], opportunities: int, last_hunt: datetime | None, zone: ZoneInfo, *, paused: bool
) -> Html:
    """The name, how things stand in one glance, and the switch between light and dark."""
    state = worst(checks)
    bad = [check for check in checks if check.status is not CheckStatus.OK]
    word = "Paused" if paused else _WORDS[state]
    title = "; ".join(f"{check.name}: {check.detail}" for check in bad) or "Every part works"
    return tag(
        "header",
        tag("h1", "Dealhound"),
        tag(
            "p", f"{opportunities:,} opportunities · last hunt ", moment(last_hunt, zone, "not yet"), class_="dh-muted"
        ),
        tag("span", word, f" ({len(bad)})" if bad else None, class_=f"dh-pill dh-{state}", title=title, role="status"),
        tag("button", "Light / dark", type="button", class_="dh-button", data_theme_switch=True),
        class_="dh-top",
    )


def checks_list(checks: Sequence[Check]) -> Html:
    """Every check, the worst first, with what to do."""
    if not checks:
        return empty("Nothing checked yet", "Run ", tag("code", "./dealhound doctor"), " in a terminal.")
    ranks = list(CheckStatus)
    ordered = sorted(checks, key=lambda check: -ranks.index(check.status))
    return tag("ul", [_check(check) for check in ordered], class_="dh-checks", aria_label="What is set up")


def _check(check: Check) -> Html:
    return tag(
        "li",
        tag("span", check.status.value, class_=f"dh-pill dh-{check.status}"),
        tag("b", check.name),
        tag("span", check.detail),
        tag("span", "To mend it: ", check.fix, class_="dh-fix") if check.fix else None,
    )


def preferences_heading() -> Html:
    """What stands above the settings that can be changed on the page."""
    advice = "Empty fields stand for the default. Changes are kept in dealhound.toml and hold from the next hunt on."
    return join(tag("h2", "Thresholds and quiet hours"), tag("p", advice, class_="dh-muted"))


def usage_line(usage: str | None) -> Html:
    """What the language model has used; nothing where none is set up."""
    return NOTHING if usage is None else join(tag("h2", "Language model"), tag("p", usage))


def settings_table(settings: Settings) -> Html:
    """Every setting with its value (secrets as stars) and the variable that sets it."""
    rows = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        rows.append((environment_name(name), _shown(name, value), field.description or ""))
    note = tag("p", "Set them in dealhound.toml or .env in the home folder, or as environment variables; then restart.")
    return join(note, table("Settings in force", ("Setting", "Value", "Meaning"), rows))


def _shown(name: str, value: object) -> str:
    if value is None:
        return "not set"
    if name in ("apprise_urls", "notice_urls"):  # these carry tokens in their text
        return f"{len(value)} set" if isinstance(value, tuple) and value else "none"
    if name in ("database_url", "proxy", "chroma_url", "llm_base_url"):
        return _without_login(str(value))
    return ", ".join(map(str, value)) or "none" if isinstance(value, tuple) else str(value)


def _without_login(url: str) -> str:
    """A URL without the user name and password that it may carry."""
    scheme, separator, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def problem(sentence: str) -> Html:
    """An error as the owner meets it in the page."""
    return tag("div", tag("h2", "This cannot be shown now"), tag("p", sentence), class_="dh-problem", role="alert")
