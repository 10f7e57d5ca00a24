"""``feeds``: the list of feeds and their health."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agents.terminal.output import Home, Json, hound, show

feeds_app = typer.Typer(help="Feeds and their health.", no_args_is_help=True)


@feeds_app.command("list")
def feeds_list(home: Home = None, as_json: Json = False) -> None:
    """The feeds that are followed."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show(feeds.listing(assembled), as_json, text.feed_line, "No feeds yet. Add one: ./dealhound feeds add URL")


@feeds_app.command("add")
def feeds_add(
    url: str, title: Annotated[str | None, typer.Option()] = None, home: Home = None, as_json: Json = False
) -> None:
    """Follow a feed."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show([feeds.add(assembled, url, title)], as_json, text.feed_line)


@feeds_app.command("remove")
def feeds_remove(url: str, home: Home = None, as_json: Json = False) -> None:
    """Stop following a feed; what was seen stays known."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show([feeds.remove(assembled, url)], as_json, text.feed_line)


@feeds_app.command("check")
def feeds_check(
    urls: Annotated[list[str] | None, typer.Argument(help="Feeds to check; default all.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Fetch feeds now and explain what is seen; nothing is remembered."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show(feeds.check(assembled, urls or []), as_json, text.feed_line, "No feeds to check.")


@feeds_app.command("import")
def feeds_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], home: Home = None, as_json: Json = False
) -> None:
    """Add the feeds of an OPML file."""
    from agents.commands import feeds, text

    with hound(home) as assembled:
        show(feeds.import_opml(assembled, file), as_json, text.feed_line, "The file names no feed.")


@feeds_app.command("export")
def feeds_export(file: Annotated[Path | None, typer.Argument(dir_okay=False)] = None, home: Home = None) -> None:
    """Write the feeds as OPML, to FILE or to stdout."""
    from agents.commands import feeds

    with hound(home) as assembled:
        opml = feeds.export_opml(assembled)
    if file is None:
        typer.echo(opml)
    else:
        file.write_text(opml, encoding="utf-8")
