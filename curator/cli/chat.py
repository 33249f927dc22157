"""`curator chat`: talk to a model in the terminal."""

from typing import Annotated

import typer

from curator.cli.state import State


def chat(
    context: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(help="Deployment, GGUF file or URL (Ollama, any OpenAI-compatible); the current one."),
    ] = None,
    message: Annotated[str | None, typer.Option("--message", "-m", help="Ask this and stop; - reads stdin.")] = None,
    role: Annotated[str, typer.Option(help="insight, planner or coach.")] = "coach",
    model: Annotated[str, typer.Option(help="Name of the model at a URL.")] = "default",
    plain: Annotated[
        bool, typer.Option("--plain", help="Send the system prompt alone: no references, no rules.")
    ] = False,
    temperature: Annotated[float | None, typer.Option(min=0, max=2, help="The deployment's, else 0.7.")] = None,
    max_tokens: Annotated[int, typer.Option(min=1, help="Length of an answer.")] = 800,
    threads: Annotated[int | None, typer.Option(min=1, help="Of llama.cpp.")] = None,
) -> None:
    """Talk to the deployed model, answer by answer as it comes; Ctrl-D ends."""
    from curator.talk import TalkOptions, talk

    state: State = context.obj
    options = TalkOptions(target, role, model, plain, temperature, max_tokens, threads)
    talk(state.open(), options, message, is_quiet=state.quiet)
