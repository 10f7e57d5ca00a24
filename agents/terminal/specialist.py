"""``specialist`` and ``catalogue``: the models at work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from agents.terminal.output import Home, Json, agreed, fields, hound, show_object

specialist_app = typer.Typer(help="The large specialist: as a file, or on Modal.", no_args_is_help=True)
catalogue_app = typer.Typer(
    help="The products with known prices that estimates are compared with.", no_args_is_help=True
)


@specialist_app.command("export")
def specialist_export(
    gguf: Annotated[bool, typer.Option("--gguf", help="As one GGUF file for llama.cpp, not as a folder.")] = False,
    quantization: Annotated[
        Literal["f32", "f16", "q8_0", "q5_k_m", "q4_k_m"], typer.Option(help="How small the file gets.")
    ] = "q4_k_m",
    adapter: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Default: the one trained.")
    ] = None,
    llama_cpp: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Convert with this llama.cpp source tree.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Default: your own models, in the state folder.")] = None,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Merge the fine-tuned adapter into its base (needs ./dealhound setup large, with --gguf also local)."""
    from agents.commands import specialist

    with hound(home) as assembled:
        result = specialist.export(assembled, adapter, out, quantization if gguf else None, llama_cpp)
        show_object(result, as_json, fields)


@specialist_app.command("deploy")
def specialist_deploy(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before what costs money.")] = False,
    home: Home = None,
    as_json: Json = False,
) -> None:
    """Put the specialist on Modal, by the settings modal_app, modal_gpu, modal_base and modal_adapter."""
    from agents.commands import specialist

    with hound(home) as assembled:
        result = specialist.deploy(assembled, lambda cost: agreed(cost, yes))
        show_object(result, as_json, fields)


@catalogue_app.command("info")
def catalogue_info(home: Home = None, as_json: Json = False) -> None:
    """How many products there are, by category."""
    from agents.commands import catalogue, text

    with hound(home, log_level="warning") as assembled:
        show_object(catalogue.info(assembled), as_json, text.catalogue_info)


@catalogue_app.command("add")
def catalogue_add(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False)], home: Home = None, as_json: Json = False
) -> None:
    """Add priced products from JSONL files (description or title, price; optionally id, category, brand, as_of)."""
    from agents.commands import catalogue, text

    with hound(home) as assembled:
        show_object(catalogue.add(assembled, files), as_json, text.catalogue_info)


@catalogue_app.command("build")
def catalogue_build(home: Home = None, as_json: Json = False) -> None:
    """Rebuild the catalogue from the shipped products alone."""
    from agents.commands import catalogue, text

    with hound(home) as assembled:
        show_object(catalogue.build(assembled), as_json, text.catalogue_info)
