"""Where a model stops: read off its chat template, not typed in."""

from collections.abc import Sequence

from schemas.errors import DeployError
from train.turns import TurnFormat


def derive_stop_tokens(turns: TurnFormat, special_tokens: Sequence[str], eos_token: str | None) -> list[str]:
    """Gives the texts at which an answer ends.

    What follows an answer in the template is either a special token, which is the stop, or plain text, whose first
    line that says anything is (so a GPT-2 that goes on to write the next question is stopped). The tokenizer's
    end-of-text token always counts.

    Raises:
        DeployError: There is neither.
    """
    stops = [_find_stop(turns.after_answer, special_tokens)]
    stops.append(eos_token or "")
    found = list(dict.fromkeys(stop for stop in stops if stop))
    if not found:
        raise DeployError("chat template: nothing ends an answer, and the tokenizer has no eos token",
                          "set eos_token in tokenizer_config.json")  # fmt: skip
    return found


def _find_stop(after_answer: str, special_tokens: Sequence[str]) -> str:
    text = after_answer.lstrip()
    # The longest first: <|end|> must not hide <|end|><|turn|>-like tokens that begin the same.
    for token in sorted(special_tokens, key=len, reverse=True):
        if token and text.startswith(token):
            return token
    return text.split("\n", 1)[0].rstrip()
