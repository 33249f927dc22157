"""`curator serve`: the service, and its tokens."""

from typing import Annotated

import typer

from curator.cli.state import State

app = typer.Typer(help="Explore, review and serve the corpus in the browser and over HTTP.")


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8600,
) -> None:
    """Start the service and print the address that opens it once."""
    if context.invoked_subcommand is not None:
        return
    from curator.service.run import run_service

    state: State = context.obj
    run_service(state.open(), host, port)
