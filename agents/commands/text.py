"""Rows as lines for people. Text from the web is made printable: no terminal escape comes through."""

from __future__ import annotations

from typing import Any

from framework.hunt import HuntReport
from framework.log import printable

Row = dict[str, Any]
_MARKS = {"ok": "✓", "degraded": "–", "failed": "✗", "sent": "✓"}


def _money(value: float | None, currency: str | None = "USD") -> str:
    if value is None:
        return "?"
    return f"${value:,.2f}" if currency in (None, "USD") else f"{value:,.2f} {currency}"


def judged_line(row: Row) -> str:
    """One judged deal."""
    mark = "★" if row["verdict"] == "opportunity" else " "
    sample = " [sample]" if row.get("sample") else ""
    line = f"{mark} {printable(row['title'])}{sample}\n    {printable(row['reason'])}"
    return line + (f"\n    {printable(row['url'])}" if row["verdict"] == "opportunity" and row["url"] else "")


def answer(row: Row) -> str:
    """A language model's answer, line by line."""
    return "\n".join(printable(line) for line in str(row["answer"]).splitlines())


def hunt_summary(report: HuntReport) -> str:
    """What a hunt came to, in one paragraph."""
    counts = report.counts()
    said = (
        f"{counts['feeds_polled']} feeds polled ({counts['feeds_failed']} failed)",
        f"{counts['entries_new']} new entries",
        f"{counts['deals']} deals",
        f"{counts['skipped']} skipped",
        f"{counts['failed']} not readable",
        f"{counts['opportunities']} opportunities",
        f"{counts['sent']} messages sent",
        f"in {report.seconds:.1f} s.",
    )
    return "\n".join([", ".join(said), *map(printable, report.problems[:10])])


def reading_line(row: Row) -> str:
    """One entry as read."""
    if row["verdict"] != "deal":
        return f"  {row['verdict']:<8}{printable(row['title'])}\n    {printable(row['reason'])}"
    extras = [f"list {_money(row['list_price'], row['currency'])}"] if row["list_price"] else []
    extras += [f"elsewhere {_money(row['market_price'], row['currency'])}"] if row["market_price"] else []
    extras += [f"{row['quantity']} pieces"] if row["quantity"] != 1 else []
    extras += [row["condition"]] if row["condition"] else []
    figures = ", ".join([_money(row["price"], row["currency"]), *extras])
    return f"  deal    {printable(row['title'])}\n    {figures} ({row['reader']})"


def estimate_line(row: Row) -> str:
    """One priced text."""
    if row["value"] is None:
        return f"{row['id']}: no estimate: {row.get('reason', '')}"
    said = ", ".join(f"{name} {_money(value)}" for name, value in row["members"].items())
    return f"{row['id']}: {_money(row['value'])} ({_money(row['low'])} to {_money(row['high'])}; {said})"


def offer_line(row: Row) -> str:
    """One judged offer."""
    if row["value"] is None:
        return f"{row['id']}: pass: {row['reason']}"
    return f"{row['id']}: {row['verdict']}: {row['reason']}"


def feed_line(row: Row) -> str:
    """One feed."""
    name = printable(row["title"] or "") or row["url"]
    state = row["status"] + (f", {row['errors']} errors in a row: {row['last_error']}" if row["errors"] else "")
    explained = f"\n    {printable(row['explanation'])}" if row.get("explanation") else ""
    return f"{name}\n    {printable(row['url'])}\n    {printable(state)}{explained}"


def channel_line(row: Row) -> str:
    """One channel's answer."""
    return f"{_MARKS.get(row['status'], '–')} {row['channel']}: {printable(row['detail'])}"


def delivery_line(row: Row) -> str:
    """One attempt to send a message."""
    return f"{row['at']} {row['channel']} #{row['outbox_id']}: {row['outcome']}: {printable(row['detail'])}"


def feedback_line(row: Row) -> str:
    """One vote, or something learnt."""
    if row["what"] == "learnt":
        return f"★ {printable(row['said'])}"
    return f"  {row['vote']:<7} {row['id']}  {printable(row['title'])}"


def feedback_said(row: Row) -> str:
    """What a vote came to."""
    noted = f"Noted: {row['vote']}" + (f" ({printable(row['id'])})" if row["id"] else "")
    return "\n".join([noted, *(printable(said) for said in row["learnt"])])


def check_line(row: Row) -> str:
    """One check of the doctor."""
    fix = f"\n    {row['fix']}" if row["fix"] else ""
    return f"{_MARKS.get(row['status'], ' ')} {row['name']:<14} {printable(row['detail'])}{fix}"


def catalogue_info(row: Row) -> str:
    """The catalogue in figures."""
    lines = [f"{row['count']:,} products"]
    lines += [f"{number:>7,}  {printable(name)}" for name, number in list(row.get("categories", {}).items())[:60]]
    return "\n".join(lines)


def evaluation(row: Row) -> str:
    """The evaluation's tables."""
    from models.evaluate.report import text_table

    return text_table(row)
