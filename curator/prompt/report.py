"""Shows a prompt as it is sent, and what it is made of; reads the profile of who asks."""

import sys
from pathlib import Path

from pydantic import ValidationError

from curator.cli.output import print_table
from curator.prompt.assemble import Prompt
from curator.prompt.evaluation import RetrievalReport
from schemas.errors import ConfigError
from schemas.profile import Profile


def read_profile(path: Path | None) -> Profile | None:
    """Reads a profile from JSON.

    Raises:
        ConfigError: The file is absent, no JSON, or a field is wrong; the message names it.
    """
    if path is None:
        return None
    try:
        return Profile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}", "expected a JSON file of the person's profile") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "profile"
        known = ", ".join(Profile.model_fields)
        raise ConfigError(f"{path}: {where}: {first['msg']}", f"fields of a profile: {known}") from error


def show_turns(prompt: Prompt) -> None:
    """Writes the turns to stdout, word by word as they are sent."""
    for message in prompt.messages:
        sys.stdout.write(f"── {message['role']} ──\n{message['content']}\n\n")


def show_parts(prompt: Prompt) -> None:
    """Shows on stderr what the prompt is made of and what had no room."""
    rows = [[part.name, part.tokens, "in" if part.is_kept else "no room"] for part in prompt.parts]
    title = f"{prompt.tokens} tokens (UTF-8 bytes / 4), temperature {prompt.temperature:g}"
    print_table(title, ["part", "tokens", ""], rows, to_stdout=False)


def show_retrieval(report: RetrievalReport) -> None:
    """Shows how often the right page was found, and the questions where it was not."""
    print_table(
        f"{report.questions} questions",
        ["right page first", "among the first 3", "mean reciprocal rank"],
        [[f"{report.hit_1_ratio:.1%}", f"{report.hit_3_ratio:.1%}", f"{report.mean_reciprocal_rank:.3f}"]],
    )
    if report.misses:
        rows = [[miss["question"], ", ".join(miss["expected"]), ", ".join(miss["found"])] for miss in report.misses]
        print_table("not among the first 3", ["question", "expected", "found"], rows)
