"""`curator deploy`: from a trained model to one that answers."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from curator.cli.state import DryRun, Json, State, Wait

Quantisation = Literal["q4_k_m", "q8_0", "f16"]


def deploy(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Argument(metavar="[ADAPTER]", help="Adapter or model folder, or a model's id; the newest.")
    ] = None,
    quantize: Annotated[Quantisation, typer.Option(help="How the weights are rounded.")] = "q4_k_m",
    ollama: Annotated[str | None, typer.Option(metavar="URL", help="Create the model in the Ollama there.")] = None,
    name: Annotated[str | None, typer.Option(help="Its name in Ollama; PACK-ROLE if absent.")] = None,
    role: Annotated[
        str | None, typer.Option(help="Whose system prompt is built in, and for whom alone it is current.")
    ] = None,
    temperature: Annotated[float, typer.Option(min=0, max=2, help="Default of the served model.")] = 0.7,
    top_p: Annotated[float, typer.Option(min=0.01, max=1, help="Default of the served model.")] = 0.9,
    base: Annotated[str | None, typer.Option(metavar="PATH", help="Where the adapter's base lies.")] = None,
    template: Annotated[Path | None, typer.Option(help="File with a Go template, instead of the derived one.")] = None,
    llama_cpp: Annotated[
        Path | None, typer.Option("--llama-cpp", metavar="PATH", help="Convert with this checkout of llama.cpp.")
    ] = None,
    drift: Annotated[float | None, typer.Option(min=0, help="Largest drift of the quantised model.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Of llama.cpp while it is compared.")] = None,
    use: Annotated[
        str | None, typer.Option(metavar="ID", help="Make an earlier deployment current; no new one.")
    ] = None,
    rollback: Annotated[bool, typer.Option("--rollback", help="Make the deployment before this one current.")] = False,
    wait: Wait = 0.0,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Merge, convert to GGUF, quantise, prove that nothing changed on the way, and make it the current model."""
    from curator.cli.output import print_json, say
    from curator.deployments import DeployOptions, find_deployment, point_current, preview, roll_back
    from curator.deployments import deploy as deploy_project
    from curator.model_report import show_deployment

    state: State = context.obj
    project = state.open()
    if use or rollback:
        folder = roll_back(project, role) if rollback else find_deployment(project, use)
        point_current(project, folder.name, role)
        print_json({"id": folder.name}) if as_json else say(f"current: {folder}")
        return
    options = DeployOptions(
        model, quantize, role, temperature, top_p, base, template, llama_cpp, drift, ollama, name, threads
    )
    if dry_run:
        print_json(preview(project, options))
        return
    deployment, folder = deploy_project(project, options, (lambda _: None) if state.quiet else say, wait)
    if as_json:
        print_json(deployment.model_dump(mode="json") | {"folder": str(folder)})
    elif not state.quiet:
        show_deployment(deployment, str(folder))
