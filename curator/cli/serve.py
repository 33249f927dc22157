"""`curator serve`: the service, and its tokens."""

from pathlib import Path
from typing import Annotated

import typer

from curator.cli.state import Json, State

app = typer.Typer(help="Explore, review and serve the corpus in the browser and over HTTP.")
token_app = typer.Typer(no_args_is_help=True, help="Named API tokens of this project: add, list, revoke.")
app.add_typer(token_app, name="token")

Certificate = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="TLS certificate (PEM).")]
Key = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Its private key (PEM).")]


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on; beyond this machine only with tokens and TLS.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")] = 8600,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further host name that is answered (repeatable).")
    ] = None,
    certificate: Certificate = None,
    key: Key = None,
    behind_tls_proxy: Annotated[
        bool, typer.Option("--behind-tls-proxy", help="A proxy in front speaks TLS; this one listens without.")
    ] = False,
) -> None:
    """Start the service and print the address that opens it once."""
    if context.invoked_subcommand is not None:
        return
    from curator.service.run import Binding, run_service

    state: State = context.obj
    binding = Binding(host, port, tuple(allow_host or ()), certificate, key, behind_tls_proxy)
    run_service(state.open(), binding, is_debug=state.debug)


@token_app.command("add")
def add_token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose token it is; it stands beside what is sent with it.")],
    scope: Annotated[
        list[str], typer.Option(help="read, review, feedback (the coaching app), admin (everything); repeatable.")
    ],
) -> None:
    """Make a token and show it; it is stored only as a hash and cannot be shown again."""
    import sys

    from curator.cli.output import say
    from curator.service.tokens import open_tokens

    state: State = context.obj
    token = open_tokens(state.open().root).add(name, scope)
    say(f"token of {name}; keep it, it cannot be shown again:")
    sys.stdout.write(f"{token}\n")


@token_app.command("list")
def list_tokens(context: typer.Context, as_json: Json = False) -> None:
    """Show the names and scopes of the tokens."""
    from curator.cli.output import print_json, print_table
    from curator.service.tokens import open_tokens

    state: State = context.obj
    tokens = open_tokens(state.open().root).list_tokens()
    if as_json:
        print_json([{"name": token.name, "scopes": token.scopes, "made_at": token.made_at} for token in tokens])
        return
    rows = [[token.name, ", ".join(token.scopes), token.made_at] for token in tokens]
    print_table("", ["token", "scopes", "made"], rows)


@token_app.command("revoke")
def revoke_token(context: typer.Context, name: Annotated[str, typer.Argument(help="Name of the token.")]) -> None:
    """Remove a token; a running service refuses it at once."""
    from curator.cli.output import say
    from curator.service.tokens import open_tokens

    state: State = context.obj
    open_tokens(state.open().root).revoke(name)
    say(f"token of {name}: revoked")
